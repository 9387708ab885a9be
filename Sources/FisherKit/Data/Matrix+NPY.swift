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

  /// Takes elements, row by row, for these columns.
  /// - Returns: the position of the first element that is not finite in this precision, where it stops.
  mutating func assign(_ elements: NPYArray.Elements, columns range: Range<Int>) -> Int? {
    demand(range.upperBound <= columns && elements.count == rows * range.count, "elements of another shape")
    switch elements {
    case .float32(let elements): return read(elements, columns: range)
    case .float64(let elements): return read(elements, columns: range)
    }
  }

  /// - Returns: the position of the first element that is not finite here.
  @inline(__always)
  private mutating func read<Element: KernelScalar>(_ elements: [Element], columns range: Range<Int>? = nil) -> Int? {
    let range = range ?? 0..<columns
    let base = UnsafeMutableRawPointer(storage.base + range.lowerBound)
    return Scalar.self == Double.self
      ? convert(elements, columns: range.count, to: base.assumingMemoryBound(to: Double.self), stride: stride)
      : convert(elements, columns: range.count, to: base.assumingMemoryBound(to: Float.self), stride: stride)
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
    let elements = Self.elements(of: matrix, columns: 0..<matrix.columns)
    self.init(shape: [matrix.rows, matrix.columns], elements: elements, place: place)
  }

  /// Some columns of a matrix, row by row.
  static func elements<Scalar: KernelScalar>(of matrix: borrowing Matrix<Scalar>, columns: Range<Int>) -> Elements {
    demand(columns.upperBound <= matrix.columns, "outside the matrix")
    return Scalar.self == Double.self
      ? .float64(rows(of: matrix, columns: columns)) : .float32(rows(of: matrix, columns: columns))
  }

  /// The rows without their padding. `Element` is the same as `Scalar`.
  private static func rows<Scalar: KernelScalar, Element>(
    of matrix: borrowing Matrix<Scalar>, columns range: Range<Int>
  ) -> [Element] {
    let (rows, columns, stride) = (matrix.rows, range.count, matrix.stride)
    return matrix.withUnsafePointer { base in
      let source = UnsafeRawPointer(base + range.lowerBound).assumingMemoryBound(to: Element.self)
      return [Element](unsafeUninitializedCapacity: rows * columns) { target, initialized in
        for row in 0..<(columns > 0 ? rows : 0) {
          (target.baseAddress! + row * columns).initialize(from: source + row * stride, count: columns)
        }
        initialized = rows * columns
      }
    }
  }
}
