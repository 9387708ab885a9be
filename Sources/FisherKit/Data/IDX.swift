/// An IDX file, the format of MNIST: magic 0, 0, type, number of dimensions; the dimensions as big-endian 32-bit
/// numbers; then the elements, last dimension fastest. Plain or gzip; elements are unsigned bytes (type 0x08).
public struct IDX: Sendable {
  public let dimensions: [Int]
  public let elements: [UInt8]

  /// - Parameter dimensions: how many there must be: 3 for images, 1 for labels.
  /// - Throws: what the file holds instead, when it is missing, cut short, of another kind, or longer than it says.
  public init(path: String, dimensions expected: Int) throws(DataError) {
    let reader = try GzipReader(path: path)
    let magic = try reader.read(4)
    guard magic.count == 4 else {
      throw DataError(path, expected: "an IDX file (magic of 4 bytes)", found: "\(magic.count) bytes")
    }
    guard magic[0] == 0, magic[1] == 0 else {
      throw DataError(path, expected: "an IDX file (first bytes 0 0)", found: "first bytes \(magic[0]) \(magic[1])")
    }
    guard magic[2] == 0x08 else {
      throw DataError(path, expected: "IDX type 8 (unsigned bytes)", found: "type \(magic[2])")
    }
    guard Int(magic[3]) == expected else {
      let kind = expected == 1 ? "labels, 1 dimension" : "images, \(expected) dimensions"
      throw DataError(
        path, expected: "an IDX file of \(kind)", found: magic[3] == 1 ? "1 dimension" : "\(magic[3]) dimensions")
    }
    let header = try reader.read(4 * expected)
    guard header.count == 4 * expected else {
      throw DataError(path, expected: "\(expected) dimensions in the header", found: "the end of the file")
    }
    let sizes = (0..<expected).map { k in header[(4 * k)..<(4 * k + 4)].reduce(0) { $0 << 8 | Int($1) } }
    var total = 1
    for size in sizes {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard !overflow else {
        throw DataError(path, expected: "dimensions that can be addressed", found: Self.text(sizes))
      }
      total = product
    }
    let elements = try reader.read(total)
    guard elements.count == total else {
      throw DataError(
        path, expected: "\(total) bytes of elements (\(Self.text(sizes)))", found: "only \(elements.count)")
    }
    guard try reader.read(1).isEmpty else {
      throw DataError(
        path, expected: "\(total) bytes of elements (\(Self.text(sizes)))", found: "more behind them")
    }
    self.dimensions = sizes
    self.elements = elements
  }

  private static func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: "×") }
}
