/// An IDX file, the format of MNIST: magic 0, 0, type, number of dimensions; the dimensions as big-endian 32-bit
/// numbers; then the elements, last dimension fastest. Plain or gzip; elements are unsigned bytes (type 0x08).
///
/// A plain file takes no more memory than itself, whatever its header claims; a gzip file three times what is in it
/// while it is read, which is at most 1032 times the file.
public struct IDX: Sendable {
  public let dimensions: [Int]
  public let elements: [UInt8]

  /// - Parameter dimensions: how many there must be: 3 for images, 1 for labels.
  /// - Throws: what the file holds instead, when it is missing, cut short, of another kind, or longer than it says.
  public init(path: String, dimensions expected: Int) throws(DataError) {
    let reader = try GzipReader(path: path)
    try Self.checkMagic(reader, path: path, dimensions: expected)
    let header = try reader.read(4 * expected)
    guard header.count == 4 * expected else {
      throw DataError(path, expected: "\(expected) dimensions in the header", found: "the end of the file")
    }
    let sizes = (0..<expected).map { k in header[(4 * k)..<(4 * k + 4)].reduce(0) { $0 << 8 | Int($1) } }
    let there = reader.isPlain ? reader.size - 4 - 4 * expected : nil
    guard let total = Self.product(sizes) else {
      let elements = if let there { there } else { try reader.countRest() }
      let nearMiss = Self.nearMiss(path: path, sizes: sizes, elements: elements)
      throw DataError(path, expected: "dimensions that can be addressed", found: Self.text(sizes) + nearMiss)
    }
    let wanted = "\(total) bytes of elements (\(Self.text(sizes)))"
    if let there, there != total {
      throw DataError(
        path, expected: wanted,
        found: (there < total ? "only \(there)" : "\(there - total) more behind them")
          + Self.nearMiss(path: path, sizes: sizes, elements: there))
    }
    let isPossible = total / GzipReader.greatestRatio <= reader.size
    let elements = isPossible ? try reader.read(total) : []
    guard elements.count == total else {
      let count = isPossible ? elements.count : try reader.countRest()
      throw DataError(
        path, expected: wanted, found: "only \(count)" + Self.nearMiss(path: nil, sizes: sizes, elements: count))
    }
    guard try reader.read(1).isEmpty else {
      throw DataError(path, expected: wanted, found: "more behind them")
    }
    self.dimensions = sizes
    self.elements = elements
  }

  private static func checkMagic(
    _ reader: borrowing GzipReader, path: String, dimensions expected: Int
  ) throws(DataError) {
    let magic = try reader.read(4)
    guard magic.count == 4 else {
      throw DataError(path, expected: "an IDX file (magic of 4 bytes)", found: "\(magic.count) bytes")
    }
    guard magic[0] == 0, magic[1] == 0 else {
      var kind = kindOfFile(startingWith: magic + (try reader.read(60))).map { ", \($0)" } ?? ""
      if !reader.isPlain, !kind.isEmpty { kind += " inside gzip data" }
      throw DataError(
        path, expected: "an IDX file (first bytes 0 0)", found: "first bytes \(magic[0]) \(magic[1])\(kind)")
    }
    guard magic[2] == 0x08 else {
      let kind = types[magic[2]].map { " (\($0))" } ?? ""
      throw DataError(path, expected: "IDX type 8 (unsigned bytes)", found: "type \(magic[2])\(kind)")
    }
    guard Int(magic[3]) == expected else {
      let kind = expected == 1 ? "labels, 1 dimension" : "images, \(expected) dimensions"
      throw DataError(
        path, expected: "an IDX file of \(kind)", found: magic[3] == 1 ? "1 dimension" : "\(magic[3]) dimensions")
    }
  }

  private static let types: [UInt8: String] = [
    9: "signed bytes", 11: "integers of 16 bits", 12: "integers of 32 bits", 13: "floats of 32 bits",
    14: "floats of 64 bits",
  ]

  /// `nil` where it cannot be addressed.
  static func product(_ sizes: [Int]) -> Int? {
    var total = 1
    for size in sizes {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      total = product
    }
    return total
  }

  private static func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: "×") }
}
