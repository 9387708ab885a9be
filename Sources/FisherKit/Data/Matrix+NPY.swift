extension Matrix {
  /// The matrix that an array of two dimensions is, converted to this precision: float64 is rounded to the nearest
  /// float32 in a matrix of `Float`.
  /// - Throws: ``DataError`` when the array has another number of dimensions, when an element is not finite or too large
  ///   for this precision, and when the memory does not suffice.
  public init(npy array: NPYArray) throws(DataError) {
    self = try Self.converted(array)
  }

  private static func converted(_ array: NPYArray) throws(DataError) -> Matrix {
    var matrix = try zeros(like: array)
    switch array.elements {
    case .float32(let elements):
      if let i = matrix.read(elements) { throw array.notFinite(at: i, "\(elements[i])", place: array.place) }
    case .float64(let elements):
      guard let i = matrix.read(elements) else { break }
      let what = elements[i].isFinite ? "\(elements[i]), too large for float32," : "\(elements[i])"
      throw array.notFinite(at: i, what, place: array.place)
    }
    return matrix
  }

  private static func zeros(like array: NPYArray) throws(DataError) -> Matrix {
    try NPYArray.require(rank: 2, shape: array.shape, place: array.place)
    do {
      return try Matrix(rows: array.shape[0], columns: array.shape[1])
    } catch {
      let shape = NPYArray.tuple(array.shape)
      guard case .outOfMemory(_, let bytes) = error else {
        throw DataError(array.place, expected: "a matrix that can be addressed", found: "shape \(shape)")
      }
      throw DataError(array.place, expected: "no more than fits the memory", found: "\(bytes) bytes for shape \(shape)")
    }
  }

  /// - Returns: the position of the first element that is not finite here.
  @inline(__always)
  private mutating func read<Element: KernelScalar>(_ elements: [Element]) -> Int? {
    let base = UnsafeMutableRawPointer(storage.base)
    return Scalar.self == Double.self
      ? convert(elements, columns: columns, to: base.assumingMemoryBound(to: Double.self), stride: stride)
      : convert(elements, columns: columns, to: base.assumingMemoryBound(to: Float.self), stride: stride)
  }
}

/// Rows of `columns` elements to rows that are `stride` apart. Inlined where both precisions are named, so that it is
/// compiled for each of them.
/// - Returns: the position of the first element that is not finite in the precision of `target`, where it stops.
@inline(__always)
private func convert<Element: KernelScalar, Scalar: KernelScalar>(
  _ elements: [Element], columns: Int, to target: UnsafeMutablePointer<Scalar>, stride: Int
) -> Int? {
  elements.withUnsafeBufferPointer { elements in
    var position = 0
    var row = target
    // (a matrix without elements can have as many rows as there are numbers)
    while position < elements.count {
      for column in 0..<columns {
        let element = Scalar(elements[position + column])
        guard element.isFinite else { return position + column }
        row[column] = element
      }
      position += columns
      row += stride
    }
    return nil
  }
}

extension NPYArray {
  /// The elements of a matrix: float64 for one of `Double`, float32 for one of `Float`.
  public init<Scalar: KernelScalar>(_ matrix: borrowing Matrix<Scalar>, place: String = "array") {
    let elements: Elements =
      Scalar.self == Double.self ? .float64(Self.elements(of: matrix)) : .float32(Self.elements(of: matrix))
    self.init(shape: [matrix.rows, matrix.columns], elements: elements, place: place)
  }

  /// The rows without their padding. `Element` is the same as `Scalar`.
  private static func elements<Scalar: KernelScalar, Element>(of matrix: borrowing Matrix<Scalar>) -> [Element] {
    let (rows, columns, stride) = (matrix.rows, matrix.columns, matrix.stride)
    return matrix.withUnsafePointer { base in
      let source = UnsafeRawPointer(base).assumingMemoryBound(to: Element.self)
      return [Element](unsafeUninitializedCapacity: rows * columns) { target, initialized in
        for row in 0..<(columns > 0 ? rows : 0) {
          (target.baseAddress! + row * columns).initialize(from: source + row * stride, count: columns)
        }
        initialized = rows * columns
      }
    }
  }
}
