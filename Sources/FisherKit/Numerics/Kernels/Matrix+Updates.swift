extension Matrix {
  /// Coupled L2: self += l2 · weights, but for the last column, the biases.
  mutating func addWeightDecay(_ weights: borrowing Matrix, l2: Double) {
    demand(rows == weights.rows && columns == weights.columns, "a gradient of another shape")
    check(
      Scalar._kernels.addWeightDecay(storage.base, stride, weights.storage.base, weights.stride, rows, columns, l2))
  }

  /// self *= factor, but for the last column, the biases.
  mutating func scaleWeights(by factor: Double) {
    check(Scalar._kernels.scaleWeights(storage.base, stride, rows, columns, factor))
  }

  /// self = keep · self + take · gradient; then gradient = mean · self + rest · gradient, with the new mean and the old
  /// gradient.
  mutating func blend(_ gradient: inout Matrix, _ shares: RunningShares) {
    demand(inUse == gradient.inUse, "a gradient of another shape")
    check(
      Scalar._kernels.updateBlend(
        storage.base, gradient.storage.base, inUse, shares.keep, shares.take, shares.mean, shares.rest))
  }

  /// After a step of self from y = z + β(x − z): z = self + β(z − x); x += share (z − x); and self = z + β(x − z).
  mutating func scheduleFree(_ z: inout Matrix, mean x: inout Matrix, beta: Double, share: Double) {
    demand(inUse == z.inUse && inUse == x.inUse, "weights of another shape")
    check(Scalar._kernels.updateScheduleFree(storage.base, z.storage.base, x.storage.base, inUse, beta, share))
  }

  /// dots[i] = ⟨row i, row i of other⟩ for each row of two matrices of one shape, summed in double precision; or with
  /// `summed` their sum ⟨A, B⟩, the same for each row. Not finite where either row is not. Cost 2nm flops.
  public func rowDots(_ other: borrowing Matrix, into dots: inout [Double], summed: Bool = false) {
    demandShape(of: other)
    demand(dots.count == rows, "expected room for \(rows) numbers, found \(dots.count)")
    let (base, stride) = (storage.base, self.stride)
    let (otherBase, otherStride) = (other.storage.base, other.stride)
    dots.withUnsafeMutableBufferPointer { dots in
      check(Scalar._kernels.rowDots(dots.baseAddress, base, stride, otherBase, otherStride, rows, columns))
    }
    guard summed else { return }
    var total = 0.0
    for i in 0..<rows { total += dots[i] }
    for i in 0..<rows { dots[i] = total }
  }

  /// Takes a gradient: ⟨row, row⟩ of each of its rows; then coupled L2, gradient += l2 · weights but for the last column; and
  /// self = gradient.
  mutating func take(
    _ gradient: inout Matrix, weights: borrowing Matrix, l2: Double, squares: inout [Double]
  ) {
    demand(
      rows == gradient.rows && columns == gradient.columns && rows == weights.rows && columns == weights.columns
        && squares.count == rows, "matrices of another shape")
    let (base, stride) = (storage.base, self.stride)
    let (from, fromStride) = (gradient.storage.base, gradient.stride)
    let (weightBase, weightStride) = (weights.storage.base, weights.stride)
    squares.withUnsafeMutableBufferPointer { squares in
      check(
        Scalar._kernels.takeGradient(
          squares.baseAddress, base, stride, from, fromStride, weightBase, weightStride, rows, columns, l2))
    }
  }

  /// The same, with a running mean in between: g = gradient + l2 · weights but for the last column; average = keep · average +
  /// take · g; and self = gradient = mean · average + rest · g.
  mutating func take(
    _ gradient: inout Matrix, weights: borrowing Matrix, l2: Double, average: inout Matrix, _ shares: RunningShares,
    squares: inout [Double]
  ) {
    demandShape(of: gradient)
    demandShape(of: weights)
    demandShape(of: average)
    demand(squares.count == rows, "expected room for \(rows) squares, found \(squares.count)")
    let (base, stride) = (storage.base, self.stride)
    let (from, fromStride) = (gradient.storage.base, gradient.stride)
    let (weightBase, weightStride) = (weights.storage.base, weights.stride)
    let (meanBase, meanStride) = (average.storage.base, average.stride)
    squares.withUnsafeMutableBufferPointer { squares in
      check(
        Scalar._kernels.takeAverage(
          squares.baseAddress, base, stride, from, fromStride, weightBase, weightStride, meanBase, meanStride, rows,
          columns, l2, shares.keep, shares.take, shares.mean, shares.rest))
    }
  }

  /// self −= rate · (gradient + l2 · self), the last column, the biases, without l2.
  mutating func descend(_ gradient: borrowing Matrix, rate: Double, l2: Double = 0) {
    demand(rows == gradient.rows && columns == gradient.columns, "a gradient of another shape")
    check(
      Scalar._kernels.updateSGD(
        storage.base, stride, gradient.storage.base, gradient.stride, rows, columns, rate, l2))
  }

  /// velocity = momentum · velocity + gradient; self −= rate · velocity.
  mutating func descend(_ gradient: borrowing Matrix, velocity: inout Matrix, rate: Double, momentum: Double) {
    demand(inUse == gradient.inUse && inUse == velocity.inUse, "a gradient of another shape")
    check(
      Scalar._kernels.updateMomentum(
        storage.base, velocity.storage.base, gradient.storage.base, inUse, rate, momentum))
  }

  /// Adam's step, the bias corrections already in `rate` and `epsilon`.
  mutating func descendAdam(
    _ gradient: borrowing Matrix, first: inout Matrix, second: inout Matrix, rate: Double, beta1: Double, beta2: Double,
    epsilon: Double
  ) {
    demand(
      inUse == gradient.inUse && inUse == first.inUse && inUse == second.inUse, "a gradient of another shape")
    check(
      Scalar._kernels.updateAdam(
        storage.base, first.storage.base, second.storage.base, gradient.storage.base, inUse, rate, beta1, beta2,
        epsilon))
  }
}

/// How a running mean and what a step goes by come of a gradient g: m ← keep · m + take · g, then mean · m + rest · g.
struct RunningShares {
  var keep: Double
  var take: Double
  var mean: Double
  var rest: Double
}
