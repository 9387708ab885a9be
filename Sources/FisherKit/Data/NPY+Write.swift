import Foundation

extension NPYArray {
  /// Writes the file that `numpy.save` writes for this array, to the byte: version 1.0, little-endian, in C order.
  ///
  /// The file is there whole or not at all; an older one of that name stays until then. `/dev/stdout` is written as is.
  /// - Throws: ``OutputError`` when the file cannot be written; ``DataError`` for elements that are not finite, with the
  ///   index of the first.
  public func write(to path: String) throws {
    try WholeFile.write(to: path) { try write(to: $0, place: path) }
  }

  /// Writes into a file that is open. `place` names it in an error.
  package func write(to file: WholeFile, place: String) throws {
    try requireFinite(place: place)
    try file.write(Data(NPYHeader(isDouble: isDouble, shape: shape).bytes))
    try file.write(littleEndian: elements)
  }

  /// Writes whole numbers, as NumPy has them on most machines: int64.
  package static func write(_ numbers: [Int64], to file: WholeFile) throws(OutputError) {
    try file.write(Data(NPYHeader(type: .int64, shape: [numbers.count]).bytes))
    try file.write(numbers, bits: UInt64.self)
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
