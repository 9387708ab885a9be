/// The orthogonal factor UVᵀ of a matrix G = UΣVᵀ, roughly: five steps of Newton and Schulz,
///
///     X₀ = G/‖G‖,  X_{k+1} = a X_k + b (X_k X_kᵀ) X_k + c (X_k X_kᵀ)² X_k,  (a, b, c) = (3.4445, −4.7750, 2.0315),
///
/// bring all singular values that are not next to nothing to between 0.7 and 1.2 (Jordan et al. 2024, whose coefficients
/// these are). With X (l,s), s ≤ l, after a transposition where G is wide, an iteration is three products: A = XᵀX and A²,
/// half of each since they are symmetric, and XB; 2ls² + s³ flops.
///
/// A matrix much longer than wide is iterated upon by its Gram matrix R = X₀ᵀX₀ alone: all X_k = X₀ Q_k for polynomials Q_k
/// of R, which commute, so that long products are two in all. Cost 4ls² + 31s³ flops. A wide one is not transposed then: its
/// R is X₀X₀ᵀ.
///
/// Memory: 2ls + 2s² or ls + 4s² numbers.
final class NewtonSchulz<Scalar: KernelScalar>: State {
  static var coefficients: (a: Double, b: Double, c: Double) { (3.4445, -4.7750, 2.0315) }
  static var iterations: Int { 5 }

  /// Whether X is Gᵀ.
  let isTransposed: Bool
  /// Whether the Gram matrix is iterated upon.
  let isLong: Bool
  private var x: Matrix<Scalar>
  private var next: Matrix<Scalar>
  private var gram: Matrix<Scalar>
  private var square: Matrix<Scalar>
  private var product: Matrix<Scalar>
  private var total: Matrix<Scalar>
  private var squares: [Double]

  /// For matrices of this shape.
  init(rows: Int, columns: Int, name: String) throws(FisherError) {
    // (a bias column beside the weights makes no square matrix wide)
    isTransposed = rows < columns - 1
    let (l, s) = isTransposed ? (columns, rows) : (rows, columns)
    isLong = 2 * l > 3 * s
    let what = "\(name): room to orthogonalise"
    x = try Matrix(rows: isLong ? 0 : l, columns: s, what: what)
    next = try isLong ? Matrix(rows: rows, columns: columns, what: what) : Matrix(rows: l, columns: s, what: what)
    gram = try Matrix(rows: s, columns: s, what: what)
    square = try Matrix(rows: s, columns: s, what: what)
    product = try Matrix(rows: isLong ? s : 0, columns: isLong ? s : 0, what: what)
    total = try Matrix(rows: isLong ? s : 0, columns: isLong ? s : 0, what: what)
    squares = Array(repeating: 0, count: rows)
  }

  /// (all of it within a step)
  func visit(_ visitor: StateVisitor) throws {
    for bytes in [x.bytes, next.bytes, gram.bytes, square.bytes, product.bytes, total.bytes] {
      visitor.scratch("room", bytes: bytes)
    }
    visitor.scratch("squares", squares)
  }

  /// What one matrix takes.
  var work: Work {
    let (l, s) = (Double(max(next.rows, next.columns)), Double(gram.rows))
    let products = isLong ? 3 * l * s * s + 31 * s * s * s : Double(Self.iterations) * (3 * l * s * s + s * s * s)
    return Work(products: products, bytes: Double(3 * next.bytes))
  }

  /// Replaces G by UVᵀ; zeros stay zeros.
  func orthogonalize(_ g: inout Matrix<Scalar>) {
    g.rowDots(g, into: &squares)
    var sum = 0.0
    for i in squares.indices { sum += squares[i] }
    let norm = sum.squareRoot()
    guard norm > 0 else { return }
    let scale = 1 / (norm + 1e-7)
    if isLong { return iterateOnGram(&g, scale: scale) }
    if isTransposed { x.setToTransposed(g) } else { x.copy(from: g) }
    x.scale(by: scale)
    iterate()
    if isTransposed { g.setToTransposed(x) } else { g.copy(from: x) }
  }

  private func iterate() {
    let (a, b, c) = Self.coefficients
    for _ in 0..<Self.iterations {
      gram.setToGram(x)
      gram.symmetrize()
      square.copy(from: gram)
      square.setToGram(gram, alpha: c, beta: b)
      square.symmetrize()
      next.copy(from: x)
      next.setToProduct(x, square, alpha: 1, beta: a)
      x.exchangeStorage(with: &next)
    }
  }

  private func iterateOnGram(_ g: inout Matrix<Scalar>, scale: Double) {
    let (a, b, c) = Self.coefficients
    if isTransposed {
      gram.setToProduct(g, .none, g, .transposed, alpha: scale * scale)
    } else {
      gram.setToGram(g, alpha: scale * scale)
      gram.symmetrize()
    }
    for k in 0..<Self.iterations {
      // P = aI + bR + cR²
      square.copy(from: gram)
      square.setToGram(gram, alpha: c, beta: b)
      square.symmetrize()
      for i in 0..<square.rows { square[i, i] += Scalar(a) }
      if k == 0 {
        total.copy(from: square)
      } else {
        product.setToProduct(total, square)
        total.exchangeStorage(with: &product)
      }
      if k + 1 < Self.iterations {
        // R ← P R P, of matrices that commute
        product.setToProduct(gram, square)
        gram.setToProduct(product, square)
      }
    }
    if isTransposed {
      next.setToProduct(total, g, alpha: scale)
    } else {
      next.setToProduct(g, total, alpha: scale)
    }
    g.copy(from: next)
  }
}
