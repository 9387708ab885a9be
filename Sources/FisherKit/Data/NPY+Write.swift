import Foundation

extension NPYArray {
  /// Writes the file that `numpy.save` writes for this array, to the byte: version 1.0, little-endian, in C order.
  ///
  /// The file is there whole or not at all; an older one of that name stays until then. `/dev/stdout` is written as is.
  /// - Throws: when the file cannot be written; for elements that are not finite, the index of the first.
  public func write(to path: String) throws(DataError) {
    try requireFinite(place: path)
    let file = try WholeFile(path: path)
    do {
      try file.write(Data(NPYHeader(isDouble: isDouble, shape: shape).bytes))
      switch elements {
      case .float32(let elements): try Self.write(elements, bits: UInt32.self, to: file)
      case .float64(let elements): try Self.write(elements, bits: UInt64.self, to: file)
      }
      try file.finish()
    } catch {
      file.discard()
      throw error
    }
  }

  private static func write<Element: KernelScalar, Bits: FixedWidthInteger>(
    _ elements: [Element], bits: Bits.Type, to file: WholeFile
  ) throws(DataError) {
    try elements.withUnsafeBufferPointer { (elements) throws(DataError) in
      let bytes = UnsafeRawBufferPointer(elements)
      if !isLittleEndianMachine {
        let swapped = bytes.bindMemory(to: Bits.self).map(\.byteSwapped)
        return try file.write(swapped.withUnsafeBytes { Data($0) })
      }
      // (no system writes more than 2 GiB at once)
      for start in stride(from: 0, to: bytes.count, by: 1 << 30) {
        let piece = UnsafeMutableRawPointer(mutating: bytes.baseAddress! + start)
        try file.write(Data(bytesNoCopy: piece, count: min(1 << 30, bytes.count - start), deallocator: .none))
      }
    }
  }
}

extension NPYHeader {
  /// The file up to its first element. 32 dimensions fit version 1.0 many times over.
  var bytes: [UInt8] {
    var text = "{'descr': '<\(type.rawValue)', 'fortran_order': False, 'shape': \(NPYArray.tuple(shape)), }"
    // NumPy leaves room for the first size to grow to the 21 digits that it can have.
    if let first = shape.first { text += String(repeating: " ", count: max(0, 21 - "\(first)".count)) }
    // The elements start at a multiple of 64. (As in NumPy there are 64 spaces where none would do.)
    let start = Self.magic.count + 4
    text += String(repeating: " ", count: 64 - (start + text.utf8.count + 1) % 64) + "\n"
    let length = text.utf8.count
    return Self.magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
  }
}
