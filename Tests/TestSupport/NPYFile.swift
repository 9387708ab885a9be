/// Files in NumPy's format, made to order and made wrong.
public enum NPYFile {
  /// Magic, version and length; the header, a line end behind it; the elements.
  public static func bytes(header: String, version: UInt8 = 1, elements: [UInt8]) -> [UInt8] {
    let text = Array(header.utf8) + [10]
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + little(text.count, version == 1 ? 2 : 4) + text + elements
  }

  public static func header(_ descr: String, fortran: Bool = false, shape: [Int]) -> String {
    let sizes = shape.map { "\($0), " }.joined()
    return "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': (\(sizes)), }"
      .replacing(", )", with: shape.count == 1 ? ",)" : ")")
  }

  /// The elements, given in C order, as a file of `descr` ('<f4', '>f8' and so on) has them.
  public static func elements(_ numbers: [Double], _ descr: String, fortran: Bool = false, shape: [Int]) -> [UInt8] {
    let order = fortran ? fortranOrder(shape) : Array(numbers.indices)
    return order.flatMap { i in
      let bits = descr.hasSuffix("8") ? numbers[i].bitPattern : UInt64(Float(numbers[i]).bitPattern)
      let bytes = little(Int(bitPattern: UInt(bits)), descr.hasSuffix("8") ? 8 : 4)
      return descr.hasPrefix(">") ? bytes.reversed() : bytes
    }
  }

  /// The positions in C order of the elements in Fortran order.
  private static func fortranOrder(_ shape: [Int]) -> [Int] {
    (0..<shape.reduce(1, *)).map { position in
      var rest = position
      let index = shape.map { size in
        defer { rest /= size }
        return rest % size
      }
      return zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
    }
  }

  private static func little(_ number: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
