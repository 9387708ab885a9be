/// What holds a solve to its accuracy: x of (Ĝ + λI)x = v, found by a factorisation in double precision, is refined with
/// residuals in twice that, and returned only with a bound on its error.
///
/// With x̂ = x + (Ĝ + λI)⁻¹r for the residual r = v − (Ĝ + λI)x̂ and Ĝ without negative eigenvalues,
///
///     ‖x̂ − x‖ ≤ ‖(Ĝ + λI)⁻¹‖ ‖r‖ ≤ ‖r‖/λ
///
/// whatever the factors are worth, so a step x̂ += F⁻¹r by approximate factors F is repeated until ‖r‖/λ is small against
/// ‖x̂‖. Each multiplies the error by about the condition number times 10⁻¹⁶. Where λ = 0, or λ is far below the least
/// eigenvalue, the norm of the inverse is estimated instead, by powers of F⁻¹.
///
/// Systems are those of single neurons, or with `isCoupled` one of all. Cost of a step: a product in twice the precision,
/// 50nmd operations, and a solve with the factors. Memory: six matrices (m,d).
struct Refinement: ~Copyable {
  /// The most that a solution may be off by, relative to its norm, before it is rounded to what it is asked for in.
  static var tolerance: Double { 1e-9 }
  /// Where there is nothing left to gain in double precision.
  private static var goal: Double { 0x1p-50 }
  private static var limit: Int { 60 }

  private let product: any TwofoldProduct
  private let damping: Double
  private let isCoupled: Bool
  /// What rounding leaves unknown of a residual, as a part of ‖x‖.
  private let rounding: [Double]
  private var image: TwofoldMatrix

  init(_ product: any TwofoldProduct, damping: Double, isCoupled: Bool) throws(FisherError) {
    let image = try TwofoldMatrix(rows: product.neurons, columns: product.order, what: "product in twice the precision")
    var traces = try product.traces()
    if isCoupled { traces = Array(repeating: traces.reduce(0, +), count: traces.count) }
    rounding = traces.map { 0x1p-104 * Double(product.additions) * ($0 + damping) }
    self.image = image
    self.product = product
    self.damping = damping
    self.isCoupled = isCoupled
  }

  /// Replaces V (m,d) by the solution.
  /// - Throws: `inaccurate`, with what is left, where the bound comes no lower than ``tolerance``.
  mutating func solve(
    _ v: inout Matrix<Double>, inverse: any DampedInverse<Double>
  ) throws(FisherError) -> (steps: Int, residual: Double, errorBound: Double) {
    var x = try TwofoldMatrix(rows: v.rows, columns: v.columns, what: "solution in twice the precision")
    var r = try v.inDouble(what: "residual")
    var right = try v.inDouble(what: "right-hand side")
    let scales = scales(of: v)
    right.scaleRows(by: scales)
    r.copy(from: right)
    let sizes = norms(right)
    var (left, residual, bound, steps) = (sizes, 1.0, Double.infinity, 0)
    while true {
      try inverse.solve(&r)
      x.add(r)
      try setToResidual(&r, right, x)
      left = norms(r)
      let next = largest(left, over: sizes)
      bound = errorBound(residual: left, solution: x.high)
      let isStuck = !(next < residual / 2)
      residual = next
      if bound <= Self.goal || isStuck || steps == Self.limit { break }
      steps += 1
    }
    if !(bound <= Self.tolerance), let gains = try inverseNorms(inverse) {
      bound = min(bound, errorBound(residual: left, solution: x.high, inverseNorms: gains))
    }
    guard bound <= Self.tolerance else {
      throw .inaccurate(
        what: "solution with the Fisher matrix", errorBound: bound, tolerance: Self.tolerance, residual: residual,
        damping: damping)
    }
    v.copy(from: x.high)
    v.scaleRows(by: scales.map { 1 / $0 })
    return (steps, residual, bound)
  }

  /// Powers of 2 that take the largest element of each system to about 1, so that norms neither overflow nor vanish.
  func scales(of v: borrowing Matrix<Double>) -> [Double] {
    var largest = (0..<v.rows).map { i in (0..<v.columns).reduce(0) { max($0, abs(v[i, $1])) } }
    if isCoupled { largest = Array(repeating: largest.max() ?? 0, count: v.rows) }
    return largest.map {
      $0 > 0 && $0.isFinite ? Double(sign: .plus, exponent: -max($0.exponent, -1000), significand: 1) : 1
    }
  }

  /// r = v − (Ĝ + λI)x
  mutating func setToResidual(
    _ r: inout Matrix<Double>, _ v: borrowing Matrix<Double>, _ x: borrowing TwofoldMatrix
  ) throws(FisherError) {
    try product.multiply(&image, x)
    for i in 0..<r.rows {
      for j in 0..<r.columns {
        r[i, j] = (Twofold(v[i, j]) - x[i, j] * damping - image[i, j]).high
      }
    }
  }

  /// ‖row i‖ for each neuron, or that of all.
  func norms(_ matrix: borrowing Matrix<Double>) -> [Double] {
    var dots = [Double](repeating: 0, count: matrix.rows)
    matrix.rowDots(matrix, into: &dots, summed: isCoupled)
    return dots.map { $0.squareRoot() }
  }

  /// The largest ‖x̂ − x‖/‖x̂‖ of a system that residuals of these norms allow; infinite where nothing can be said.
  func errorBound(
    residual: [Double], solution x: borrowing Matrix<Double>, inverseNorms: [Double]? = nil
  ) -> Double {
    let sizes = norms(x)
    let errors = residual.indices.map { i in
      (residual[i] + rounding[i] * sizes[i]) * (inverseNorms?[i] ?? (damping > 0 ? 1 / damping : .infinity))
    }
    return largest(errors, over: sizes)
  }

  /// The largest of the quotients, 0/0 being 0; infinite where one is none.
  func largest(_ values: [Double], over sizes: [Double]) -> Double {
    zip(values, sizes).reduce(0) { (largest, pair) in
      let quotient = pair.0 == 0 && pair.1 == 0 ? 0 : pair.0 / pair.1
      return quotient.isNaN ? .infinity : max(largest, quotient)
    }
  }

  /// About ‖(Ĝ + λI)⁻¹‖ of each system, rather three times too large than too small, or `nil` where the factors do not
  /// invert the matrix in the direction in which it is smallest.
  private mutating func inverseNorms(_ inverse: any DampedInverse<Double>) throws(FisherError) -> [Double]? {
    let (m, d) = (product.neurons, product.order)
    var y = try Matrix<Double>(rows: m, columns: d, what: "direction")
    var generator = SeededGenerator(seed: 0, stream: .synthesis)
    for i in 0..<m {
      for j in 0..<d { y[i, j] = generator.normal() }
    }
    var gains = norms(y)
    for _ in 1...6 {
      y.scaleRows(by: gains.map { 1 / $0 })
      try inverse.solve(&y)
      gains = norms(y)
    }
    y.scaleRows(by: gains.map { 1 / $0 })
    var smallest = try TwofoldMatrix(rows: m, columns: d, what: "direction")
    smallest.add(y)
    var back = try Matrix<Double>(rows: m, columns: d, what: "direction")
    let zero = try Matrix<Double>(rows: m, columns: d, what: "direction")
    try setToResidual(&back, zero, smallest)
    try inverse.solve(&back)
    back.combine(1, 1, y)
    guard norms(back).allSatisfy({ $0 < 0.25 }) else { return nil }
    return gains.map { 3 * $0 }
  }
}
