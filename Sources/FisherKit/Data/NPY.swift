/// An array of numbers in NumPy's file format, NPY: what `numpy.save` writes and `numpy.load` reads.
///
/// Versions 1.0, 2.0 and 3.0 are read, float32 and float64 in either byte order, in C or in Fortran order, with up to 32
/// dimensions. Every number is finite.
public struct NPYArray: Sendable {
  public enum Elements: Sendable, Equatable {
    case float32([Float])
    case float64([Double])
  }

  /// The size along each dimension; empty for a single number.
  public let shape: [Int]
  /// In C order, the last index fastest, whatever the order in the file.
  public let elements: Elements
  /// Names the array in an error: the path that it was read from.
  public let place: String

  public var count: Int {
    switch elements {
    case .float32(let elements): elements.count
    case .float64(let elements): elements.count
    }
  }

  /// Whether the elements are float64.
  public var isDouble: Bool {
    if case .float64 = elements { true } else { false }
  }

  /// An array of `elements`, in C order, as many as `shape` says. There are at most 32 dimensions.
  public init(shape: [Int], elements: Elements, place: String = "array") {
    self.shape = shape
    self.elements = elements
    self.place = place
    precondition(shape.count <= NPYHeader.maximumRank, "\(shape.count) dimensions are more than a file can have")
    precondition(
      elementCount(shape) == count, "\(count) elements, expected as many as shape \(Self.tuple(shape)) has")
  }

  /// Reads a file. Elements in C order take no more memory than themselves, those in Fortran order twice as much for the
  /// time of reading.
  /// - Parameter rank: how many dimensions there must be, if that matters.
  /// - Throws: what the file holds instead, when it is missing, cut short, longer than its shape says, of another kind,
  ///   or larger than the memory; for elements that are not finite, the index of the first.
  public init(path: String, rank: Int? = nil) throws(DataError) {
    let file = try SizedFile(path: path)
    let header = try NPYHeader(file: file)
    if let rank { try Self.require(rank: rank, shape: header.shape, place: path) }
    shape = header.shape
    place = path
    elements =
      header.isDouble
      ? .float64(try Self.elements(of: file, header, bits: UInt64.self))
      : .float32(try Self.elements(of: file, header, bits: UInt32.self))
    try requireFinite(place: path)
  }

  /// The rest of the file behind its header.
  private static func elements<Element: KernelScalar, Bits: FixedWidthInteger>(
    of file: borrowing SizedFile, _ header: NPYHeader, bits: Bits.Type
  ) throws(DataError) -> [Element] {
    let shape = "shape \(tuple(header.shape)) of \(header.isDouble ? "float64" : "float32")"
    let width = MemoryLayout<Element>.stride
    let size = elementCount(header.shape).map { $0.multipliedReportingOverflow(by: width) }
    guard let size, !size.overflow else {
      throw DataError(file.path, expected: "sizes that can be addressed", found: shape)
    }
    let bytes = size.partialValue
    let there = file.size - header.length
    guard there == bytes else {
      let found = there < bytes ? "only \(there)" : "\(there)"
      throw DataError(file.path, expected: "\(bytes) bytes of elements (\(shape))", found: found)
    }
    // (Linux grants more than there is, and kills the process that uses it)
    let copies = header.isFortranOrder ? 2 : 1
    guard bytes < 1 << 26 || availableMemory().map({ bytes <= $0 / copies }) ?? true else {
      throw DataError(file.path, expected: "no more than fits the memory", found: "\(bytes) bytes of elements")
    }
    var result = Result<Int, DataError>.success(0)
    let elements = [Element](unsafeUninitializedCapacity: bytes / width) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      result = Result { () throws(DataError) in try file.read(into: raw) }
      guard case .success(bytes) = result else { return }
      if header.isBigEndian == isLittleEndianMachine {
        buffer.withMemoryRebound(to: Bits.self) { bits in
          for i in bits.indices { bits[i] = bits[i].byteSwapped }
        }
      }
      initialized = buffer.count
    }
    let got = try result.get()
    guard got == bytes else {
      throw DataError(file.path, expected: "\(bytes) bytes of elements (\(shape))", found: "only \(got)")
    }
    return header.isFortranOrder ? cOrder(fromFortran: elements, shape: header.shape) : elements
  }
}
