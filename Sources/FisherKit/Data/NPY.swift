/// An array of numbers in NumPy's file format, NPY: what `numpy.save` writes and `numpy.load` reads.
///
/// Versions 1.0, 2.0 and 3.0 are read, floats of 16 to 64 bits and integers in either byte order, in C or in Fortran
/// order, with up to 32 dimensions. Every number is finite. float16 and integers of 8 and 16 bits become float32, which
/// holds them; larger ones float64, which has to.
public struct NPYArray: Sendable {
  public enum Elements: Sendable, Equatable {
    case float32([Float])
    case float64([Double])

    public var count: Int {
      switch self {
      case .float32(let elements): elements.count
      case .float64(let elements): elements.count
      }
    }
  }

  /// The size along each dimension; empty for a single number.
  public let shape: [Int]
  /// In C order, the last index fastest, whatever the order in the file.
  public let elements: Elements
  /// Whether the file that it was read from has integers.
  let isOfIntegers: Bool
  /// Names the array in an error: the path that it was read from.
  public let place: String

  public var count: Int { elements.count }

  /// Whether the elements are float64.
  public var isDouble: Bool {
    if case .float64 = elements { true } else { false }
  }

  /// An array of `elements`, in C order, as many as `shape` says. There are at most 32 dimensions.
  public init(shape: [Int], elements: Elements, place: String = "array") {
    self.shape = shape
    self.elements = elements
    self.place = place
    isOfIntegers = false
    demand(shape.count <= NPYHeader.maximumRank, "\(shape.count) dimensions are more than a file can have")
    demand(
      elementCount(shape) == count, "\(count) elements, expected as many as shape \(Self.tuple(shape)) has")
  }

  /// Reads a file. Beside its header of at most 64 KiB, of which parsing makes 4 MiB at most, a file takes no more memory
  /// than its elements: the size of the file for float32 and float64, four times that for integers of 8 bits, and twice
  /// as much while they are put out of Fortran order. What a header claims is compared with the file before it is
  /// allocated.
  /// - Parameter rank: how many dimensions there must be, if that matters.
  /// - Throws: what the file holds instead, when it is missing, cut short, longer than its shape says, of another kind,
  ///   or larger than the memory; for elements that are not finite, the index of the first.
  public init(path: String, rank: Int? = nil) throws(DataError) {
    let file = try SizedFile(path: path)
    let header = try NPYHeader(file: file)
    if let rank { try Self.require(rank: rank, shape: header.shape, place: path) }
    shape = header.shape
    place = path
    isOfIntegers = header.type.isInteger
    elements = try file.elements(header)
    try requireFinite(place: path)
  }
}
