extension NPYArray {
  static func require(rank: Int, shape: [Int], place: String) throws(DataError) {
    guard shape.count == rank else {
      throw DataError(
        place, expected: rank == 1 ? "1 dimension" : "\(rank) dimensions", found: "\(shape.count): \(tuple(shape))")
    }
  }

  /// - Throws: the index of the first element that is NaN or infinite.
  func requireFinite(place: String) throws(DataError) {
    switch elements {
    case .float32(let elements):
      if let i = firstNotFinite(elements) { throw notFinite(at: i, "\(elements[i])", place: place) }
    case .float64(let elements):
      if let i = firstNotFinite(elements) { throw notFinite(at: i, "\(elements[i])", place: place) }
    }
  }

  /// - Parameter position: of the element, in C order.
  func notFinite(at position: Int, _ found: String, place: String) -> DataError {
    var rest = position
    var index: [Int] = []
    for size in shape.reversed() {
      index.append(rest % size)
      rest /= size
    }
    return DataError(place, expected: "finite numbers", found: "\(found) at index \(Self.tuple(index.reversed()))")
  }

  /// As Python writes it: (), (3,), (3, 4).
  static func tuple(_ sizes: [Int]) -> String {
    "(\(sizes.map(String.init).joined(separator: ", "))\(sizes.count == 1 ? "," : ""))"
  }
}

/// The number of elements, or `nil` when no array can have this shape. As in NumPy, sizes beside a 0 have to be possible
/// without it.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  for size in shape where size != 0 {
    let (product, overflow) = count.multipliedReportingOverflow(by: size)
    guard size > 0, !overflow else { return nil }
    count = product
  }
  return shape.contains(0) ? 0 : count
}

private func firstNotFinite<Element: KernelScalar>(_ elements: [Element]) -> Int? {
  elements.withUnsafeBufferPointer { $0.firstIndex { !$0.isFinite } }
}
