extension Matrix {
  /// Row r of self = scale · source row rows[r], then 1: a mini-batch X̃ with its bias column. Source rows are
  /// `columns` − 1 wide.
  mutating func gather(_ source: Span<UInt8>, rows indices: Span<Int32>, scale: Double) {
    let width = checkGather(source.count, indices)
    let (base, stride) = (storage.base, self.stride)
    source.withUnsafeBufferPointer { source in
      indices.withUnsafeBufferPointer { indices in
        check(
          Scalar._kernels.gatherBytes(
            base, stride, source.baseAddress, indices.baseAddress, indices.count, width, scale, 0))
      }
    }
  }

  mutating func gather(_ source: Span<Float>, rows indices: Span<Int32>, scale: Double) {
    let width = checkGather(source.count, indices)
    let (base, stride) = (storage.base, self.stride)
    source.withUnsafeBufferPointer { source in
      indices.withUnsafeBufferPointer { indices in
        check(
          Scalar._kernels.gatherFloats(
            base, stride, source.baseAddress, indices.baseAddress, indices.count, width, scale, 0))
      }
    }
  }

  private mutating func checkGather(_ elements: Int, _ indices: Span<Int32>) -> Int {
    let width = columns - 1
    demand(width >= 0, "no room for the bias column")
    resize(rows: indices.count)
    for i in indices.indices {
      let row = Int(indices[i])
      demand(row >= 0 && (row + 1) * width <= elements, "sample \(row) is outside of the data")
    }
    return width
  }
}
