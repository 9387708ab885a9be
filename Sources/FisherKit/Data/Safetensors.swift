/// Named arrays of numbers in the safetensors format, in which the weights of networks are passed on between libraries:
/// the length of the header in 8 little-endian bytes; the header, a JSON object of the arrays' types, shapes and places,
/// with texts under `__metadata__`; then the elements, in C order and little-endian, without a gap.
///
/// F32, F64, F16 and BF16 are read, F32 and F64 written. Every number is finite.
public struct Safetensors: Sendable, Equatable {
  /// An array under its name.
  public struct Tensor: Sendable, Equatable {
    public let name: String
    /// The size along each dimension; empty for a single number.
    public let shape: [Int]
    /// In C order, the last index fastest.
    public let elements: NPYArray.Elements

    /// An array of `elements`, in C order, as many as `shape` says. There are at most 32 dimensions.
    public init(name: String, shape: [Int], elements: NPYArray.Elements) {
      (self.name, self.shape, self.elements) = (name, shape, elements)
      demand(name != SafetensorsHeader.metadataKey, "a tensor cannot be called \(name)")
      demand(shape.count <= NPYHeader.maximumRank, "\(shape.count) dimensions are more than a file can have")
      demand(
        elementCount(shape) == elements.count, "\(elements.count) elements, expected as many as \(shape) has")
    }
  }

  /// Texts by name, such as who wrote the file.
  public var metadata: [String: String]
  /// In the order of their elements in the file, each with a name of its own.
  public var tensors: [Tensor]

  public init(tensors: [Tensor], metadata: [String: String] = [:]) {
    (self.tensors, self.metadata) = (tensors, metadata)
  }

  /// Reads a file. It takes no more memory than the file's elements (twice that for F16 and BF16), and for the header,
  /// of at most 100 MB, some ten times its length while it is read. What the header claims is compared with the file
  /// before it is allocated.
  /// - Throws: what the file holds instead, when it is missing, cut short, longer than its header says, of another kind,
  ///   with elements of another type, or larger than the memory; for elements that are not finite, the index of the first.
  public init(path: String) throws(DataError) {
    let file = try SizedFile(path: path)
    let header = try SafetensorsHeader(file: file)
    try header.requireRoom(path: path)
    metadata = header.metadata
    tensors = []
    for entry in header.entries { tensors.append(try file.tensor(entry)) }
  }
}

extension Safetensors {
  /// Whether a file begins as one of this format does: it has no magic, but a length that it can have and a brace.
  package static func isOne(path: String) throws(DataError) -> Bool {
    let start = try SizedFile(path: path).read(9)
    guard start.count == 9, start[8] == UInt8(ascii: "{") else { return false }
    return start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } <= SafetensorsHeader.maximumLength
  }

  /// What a file says that it holds, with elements of any type; they are not read.
  package static func contents(
    path: String
  ) throws(DataError) -> (metadata: [String: String], tensors: [(name: String, type: String, shape: String)]) {
    let header = try SafetensorsHeader(file: try SizedFile(path: path))
    return (header.metadata, header.entries.map { ($0.name, $0.type.rawValue, NPYArray.tuple($0.shape)) })
  }
}

extension Safetensors.Tensor {
  /// - Throws: the index of the first element that is NaN or infinite.
  func requireFinite(place: String) throws(DataError) {
    try NPYArray(shape: shape, elements: elements, place: place).requireFinite(place: "\(place): \(name)")
  }
}

extension SizedFile {
  /// The next tensor, whose place was compared with the file.
  fileprivate func tensor(_ entry: SafetensorsHeader.Entry) throws(DataError) -> Safetensors.Tensor {
    let count = entry.count
    let elements: NPYArray.Elements?
    switch entry.type {
    case .f32: elements = try rawElements(count, UInt32.self, isSwapped: !isLittleEndianMachine).map { .float32($0) }
    case .f64: elements = try rawElements(count, UInt64.self, isSwapped: !isLittleEndianMachine).map { .float64($0) }
    case .f16: elements = try halves(count) { float(half: $0) }.map { .float32($0) }
    case .bf16: elements = try halves(count) { Float(bitPattern: UInt32($0) << 16) }.map { .float32($0) }
    default:
      throw DataError(
        path, expected: "tensors of F32, F64, F16 or BF16", found: "\(entry.type.rawValue), \(shortText(entry.name))")
    }
    guard let elements else {
      throw DataError(
        path, expected: "the elements of \(shortText(entry.name))", found: "a file that was cut short meanwhile")
    }
    let tensor = Safetensors.Tensor(name: entry.name, shape: entry.shape, elements: elements)
    try tensor.requireFinite(place: path)
    return tensor
  }

  /// Numbers of 16 bits, piece by piece; `nil` where the file ends before.
  private func halves(_ count: Int, _ convert: (UInt16) -> Float) throws(DataError) -> [Float]? {
    var elements: [Float] = []
    elements.reserveCapacity(count)
    while elements.count < count {
      let piece = try read(2 * min(1 << 16, count - elements.count))
      guard !piece.isEmpty, piece.count % 2 == 0 else { return nil }
      for k in stride(from: 0, to: piece.count, by: 2) {
        elements.append(convert(UInt16(piece[k]) | UInt16(piece[k + 1]) << 8))
      }
    }
    return elements
  }
}
