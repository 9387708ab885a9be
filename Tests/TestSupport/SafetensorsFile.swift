/// Files in the safetensors format, made to order and made wrong.
public enum SafetensorsFile {
  /// The header's length, unless another is claimed; the header; the elements.
  public static func bytes(header: [UInt8], length: UInt64? = nil, elements: [UInt8]) -> [UInt8] {
    let length = length ?? UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + elements
  }

  public static func bytes(header: String, elements: [UInt8]) -> [UInt8] {
    bytes(header: Array(header.utf8), elements: elements)
  }

  /// The header of tensors of F32 or another type, one behind the other.
  public static func header(_ tensors: [(name: String, shape: [Int])], type: String = "F32", width: Int = 4) -> String {
    var start = 0
    let members = tensors.map { name, shape in
      let end = start + width * shape.reduce(1, *)
      defer { start = end }
      return "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }
    return "{\(members.joined(separator: ","))}"
  }

  public static func floats(_ numbers: [Float]) -> [UInt8] {
    numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) } }
  }
}
