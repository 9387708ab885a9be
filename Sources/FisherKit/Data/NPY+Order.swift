/// Elements in C order (last index fastest) from elements in Fortran order (first index fastest), in a new array.
///
/// For every choice of the indices in between, first and last index make a matrix to transpose. That is done in tiles,
/// so that lines of the cache are used whole on both sides.
func cOrder<Element: BitwiseCopyable>(fromFortran elements: [Element], shape: [Int]) -> [Element] {
  guard shape.count > 1, !elements.isEmpty else { return elements }
  let rank = shape.count
  // From one element to the next along each axis, in the array that is read and in the one that is written.
  var from = [Int](repeating: 1, count: rank)
  var to = from
  for axis in 1..<rank { from[axis] = from[axis - 1] * shape[axis - 1] }
  for axis in (0..<(rank - 1)).reversed() { to[axis] = to[axis + 1] * shape[axis + 1] }
  return [Element](unsafeUninitializedCapacity: elements.count) { target, initialized in
    elements.withUnsafeBufferPointer { source in
      var index = [Int](repeating: 0, count: rank)
      var (read, written) = (0, 0)
      while true {
        transpose(
          rows: shape[0], columns: shape[rank - 1], from: source.baseAddress! + read, step: from[rank - 1],
          to: target.baseAddress! + written, step: to[0])
        var axis = 1
        while axis < rank - 1 {
          index[axis] += 1
          read += from[axis]
          written += to[axis]
          if index[axis] < shape[axis] { break }
          read -= index[axis] * from[axis]
          written -= index[axis] * to[axis]
          index[axis] = 0
          axis += 1
        }
        if axis >= rank - 1 { break }
      }
    }
    initialized = elements.count
  }
}

/// Element (i, j) from i + j · `fromStep` to i · `toStep` + j.
private func transpose<Element: BitwiseCopyable>(
  rows: Int, columns: Int, from source: UnsafePointer<Element>, step fromStep: Int,
  to target: UnsafeMutablePointer<Element>, step toStep: Int
) {
  let tile = 32
  for top in stride(from: 0, to: rows, by: tile) {
    for left in stride(from: 0, to: columns, by: tile) {
      for i in top..<min(rows, top + tile) {
        for j in left..<min(columns, left + tile) {
          (target + i * toStep + j).initialize(to: source[i + j * fromStep])
        }
      }
    }
  }
}
