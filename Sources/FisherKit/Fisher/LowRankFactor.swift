/// (Ĝ + λI)⁻¹ of a coupled layer through the square root of its samples (Woodbury), factored once and applied often.
///
/// With J (nk, md) the rows b_sa ⊗ x̃_s/√n, Ĝ = JᵀJ, and q = (λI + JJᵀ)⁻¹Jv gives x = (v − Jᵀq)/λ. That difference
/// cancels where λ is small. Its residual is Jᵀt with t = q − Jx, so x + Jᵀ(λI + JJᵀ)⁻¹t mends it without dividing by λ:
/// done twice, x is as exact as a direct solve makes it.
///
/// Memory: (nk)² elements, and (n,m), (n,k), (m,d) a few times. Cost: nk(nk + 1)m + (nk)³/3 flops once; a solve three
/// times 4nmd + 2(nk)².
final class LowRankFactor<Scalar: KernelScalar>: DampedInverse {
  let block: SampledBlock<Scalar>
  let damping: Double
  private let factor: Matrix<Scalar>
  private var z: Matrix<Scalar>
  private var coefficients: Matrix<Scalar>
  private var row: Matrix<Scalar>
  /// q, and what is added to it.
  private var q: Matrix<Scalar>
  private var back: Matrix<Scalar>
  private var solution: Matrix<Scalar>

  static var refinements: Int { 2 }

  init(_ block: SampledBlock<Scalar>, damping: Double, memoryCap: Int, parameter: String) throws(FisherError) {
    try requirePositive(damping)
    var kernel = try block.kernelMatrix(memoryCap: memoryCap)
    try kernel.factor(damping: damping, parameter: "\(parameter), kernel matrix of \(block.rankBound) factors")
    let (n, m, k, d) = (block.samples, block.neurons, block.covariance.rank, block.order)
    z = try Matrix(rows: n, columns: m, what: "pre-activations of a low-rank solve")
    coefficients = try Matrix(rows: n, columns: k, what: "coefficients of the factors")
    row = try Matrix(rows: 1, columns: n * k, what: "coefficients of the factors")
    q = try Matrix(rows: 1, columns: n * k, what: "coefficients of the factors")
    back = try Matrix(rows: m, columns: d, what: "combination of the factors")
    solution = try Matrix(rows: m, columns: d, what: "solution")
    factor = kernel
    self.block = block
    self.damping = damping
  }

  var bytes: Int {
    block.bytes + factor.bytes + z.bytes + coefficients.bytes + row.bytes + q.bytes + back.bytes + solution.bytes
  }

  func solve(_ v: inout Matrix<Scalar>) {
    applyJ(v)
    q.copy(from: row)
    q.solve(factor: factor)
    row.copy(from: q)
    applyJTransposed()
    solution.copy(from: v)
    solution.combine(1 / damping, -1 / damping, back)
    for _ in 0..<Self.refinements {
      applyJ(solution)
      row.combine(-1, 1, q)
      row.solve(factor: factor)
      q.combine(1, -damping, row)
      applyJTransposed()
      solution.combine(1, 1, back)
    }
    v.copy(from: solution)
  }

  /// row = J v
  private func applyJ(_ v: borrowing Matrix<Scalar>) {
    z.setToProduct(
      block.observations.inputs, .none, v, .transposed, inner: block.order, outputColumns: block.neurons,
      alpha: 1 / Double(block.samples).squareRoot())
    block.covariance.applyRootTransposed(&coefficients, &z)
    row.reshape(coefficients)
  }

  /// back = Jᵀ row
  private func applyJTransposed() {
    coefficients.reshape(row)
    block.covariance.applyRoot(&z, coefficients)
    back.setToProduct(
      z, .transposed, block.observations.inputs, .none, inner: block.samples, outputColumns: block.order,
      alpha: 1 / Double(block.samples).squareRoot())
  }
}

extension SampledBlock {
  /// JJᵀ (nk, nk): entry (sa, tb) = (b_sa · b_tb)(x̃_s · x̃_t)/n. It has the eigenvalues of Ĝ that are not zero.
  func kernelMatrix(memoryCap: Int) throws(FisherError) -> Matrix<Scalar> {
    let (k, n) = (covariance.rank, samples)
    let what = "kernel matrix of \(rankBound) factors"
    try checkMemory(
      Matrix<Scalar>.bytes(rows: rankBound, columns: rankBound), memoryCap, what,
      instead: "products and solves by conjugate gradients fit")
    var root = try Matrix<Scalar>(rows: rankBound, columns: neurons, what: "square roots of \(samples) samples")
    try covariance.root(&root)
    var kernel = try Matrix<Scalar>(rows: rankBound, columns: rankBound, what: what)
    kernel.setToProduct(root, .none, root, .transposed, inner: neurons, outputColumns: rankBound)
    var products = try Matrix<Scalar>(rows: n, columns: n, what: "inner products of \(n) samples")
    products.setToProduct(
      observations.inputs, .none, observations.inputs, .transposed, inner: order, outputColumns: n, alpha: 1 / Double(n)
    )
    kernel.multiplyBlocks(of: k, by: products)
    return kernel
  }
}

extension Matrix {
  /// Each k×k block (s, t) times entry (s, t) of `factors`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func multiplyBlocks(of k: Int, by factors: borrowing Matrix) {
    for i in 0..<rows {
      let row = storage.base + i * stride
      for t in 0..<factors.columns {
        let factor = factors.storage.base[i / k * factors.stride + t]
        for j in t * k..<(t + 1) * k { row[j] *= factor }
      }
    }
  }
}
