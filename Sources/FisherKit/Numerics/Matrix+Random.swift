extension Matrix {
  /// Fills the rows in use with numbers that are uniform in a range, row by row: the same ones for a seed, whatever the
  /// padding, and in `Float` those of `Double` rounded.
  public mutating func fillUniform(in range: ClosedRange<Double>, using generator: inout SeededGenerator) {
    let (low, width) = (range.lowerBound, range.upperBound - range.lowerBound)
    fill { low + width * generator.uniform() }
  }

  /// Fills the rows in use with normal numbers of mean 0, row by row: the same ones for a seed, in `Float` rounded.
  public mutating func fillNormal(deviation: Double = 1, using generator: inout SeededGenerator) {
    fill { deviation * generator.normal() }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private mutating func fill(_ number: () -> Double) {
    for i in 0..<rows {
      for j in 0..<columns { storage.base[i * stride + j] = Scalar(number()) }
    }
  }
}
