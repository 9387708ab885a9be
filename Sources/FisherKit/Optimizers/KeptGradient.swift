/// The gradient g of a parameter, while what it was taken from becomes a direction δ.
final class KeptGradient<Scalar: KernelScalar>: State {
  private var value: Matrix<Scalar>
  /// g_iᵀδ_i of each neuron, or what else there is one of for each row.
  private var dots: [Double]
  /// gᵀδ of the step.
  private(set) var product = 0.0

  init(neurons: Int, order: Int, name: String) throws(FisherError) {
    value = try Matrix(rows: neurons, columns: order, what: "\(name): gradient beside the step")
    dots = Array(repeating: 0, count: neurons)
  }

  /// (of the step under way alone)
  func visit(_ visitor: StateVisitor) throws {
    visitor.scratch("gradient", value)
    visitor.scratch("products", dots)
  }

  /// Takes g with coupled L2: gradient += l2 · weights but for the last column.
  /// - Returns: ‖g‖² without it.
  func take(_ gradient: inout Matrix<Scalar>, weights: borrowing Matrix<Scalar>, l2: Double) -> Double {
    value.take(&gradient, weights: weights, l2: l2, squares: &dots)
    return sumOfDots()
  }

  /// Takes a running mean of g, which the gradient becomes, in the same pass.
  /// - Returns: ‖g‖² of this gradient, without L2.
  func take(
    _ gradient: inout Matrix<Scalar>, weights: borrowing Matrix<Scalar>, l2: Double, average mean: RunningMean<Scalar>,
    share: Double, isNesterov: Bool
  ) -> Double {
    mean.take(
      &gradient, weights: weights, l2: l2, into: &value, share: share, isNesterov: isNesterov, squares: &dots)
    return sumOfDots()
  }

  func take(_ gradient: borrowing Matrix<Scalar>) { value.copy(from: gradient) }

  /// ‖m‖² of a matrix of this shape.
  func square(of matrix: borrowing Matrix<Scalar>) -> Double {
    matrix.rowDots(matrix, into: &dots)
    return sumOfDots()
  }

  /// Judges a direction. Neurons for which it is no number, and layers for which it does not descend, take g itself, and
  /// are reported.
  /// - Parameter isPreconditioned: whether δ is more than g.
  /// - Returns: whether it was as it should be.
  func judge(
    _ direction: inout Matrix<Scalar>, isPreconditioned: Bool, name: String, incidents: IncidentLog
  ) -> Bool {
    product = innerProduct(direction)
    if product.isFinite && (product > 0 || !isPreconditioned) { return true }
    if product == 0 && value.isZero { return true }
    let isLayer = product.isFinite
    for i in dots.indices where isLayer || !dots[i].isFinite {
      direction.copyRow(i, from: value)
      if !isLayer { incidents.add(Incident(layer: name, neuron: i, remedy: .plainGradient)) }
    }
    if isLayer { incidents.add(Incident(layer: name, remedy: .plainGradient)) }
    product = innerProduct(direction)
    return false
  }

  /// gᵀδ of running means of both, of which δ's is given; 0 where that is not above it.
  func average(
    by mean: RunningMean<Scalar>, share: Double, _ momentum: NaturalMomentum, along direction: borrowing Matrix<Scalar>
  ) -> Double {
    mean.average(&value, share: share, isNesterov: momentum.isNesterov)
    product = max(0, innerProduct(direction))
    return product
  }

  private func innerProduct(_ direction: borrowing Matrix<Scalar>) -> Double {
    value.rowDots(direction, into: &dots)
    return sumOfDots()
  }

  private func sumOfDots() -> Double {
    var sum = 0.0
    for i in dots.indices { sum += dots[i] }
    return sum
  }
}

extension Matrix {
  /// Whether every element is 0.
  fileprivate var isZero: Bool {
    for i in 0..<rows { for j in 0..<columns where self[i, j] != 0 { return false } }
    return true
  }
}
