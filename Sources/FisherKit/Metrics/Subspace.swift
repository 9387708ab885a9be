/// The leading eigenspace of the second moment M = (1/n) X̃ᵀX̃ of a layer's inputs, followed from window to window: one
/// step of block subspace iteration, U ← orth(M U), from the last basis. Never an eigendecomposition.
///
/// The rows of the basis come out ordered, the leading directions first, so that its first r rows are a subspace too.
/// Memory: three matrices (r,d), one (n,r), two (r,r). Cost of an update: 4ndr + 6dr² flops.
final class Subspace<Scalar: KernelScalar>: State {
  let rank: Int
  /// U, a row for each direction, orthonormal.
  private(set) var basis: Matrix<Scalar>
  /// X̃Uᵀ of the basis before the last update.
  private var projected: Matrix<Scalar>
  private var image: Matrix<Scalar>
  private var scratch: Matrix<Scalar>
  private var gram: Matrix<Scalar>
  private var triangle: Matrix<Scalar>
  private var isStarted = false
  private var generator: SeededGenerator
  /// uᵀMu of the rows of the basis before the last update: nearly the eigenvalues.
  private(set) var energies: [Double]
  /// tr M.
  private(set) var trace = 0.0
  private var squares: [Double]

  /// The iterations that a first update takes; later ones take one. Where there are fewer samples than directions the first
  /// iteration has all of their span, and the second its order.
  static var firstIterations: Int { 4 }
  private func iterations(samples: Int) -> Int { isStarted ? 1 : samples <= rank ? 2 : Self.firstIterations }

  init(order d: Int, rank r: Int, samples: Int, name: String) throws(FisherError) {
    rank = r
    let what = "\(name): subspace of rank \(r)"
    basis = try Matrix(rows: r, columns: d, what: what)
    image = try Matrix(rows: r, columns: d, what: what)
    scratch = try Matrix(rows: r, columns: d, what: what)
    projected = try Matrix(rows: samples, columns: r, what: what)
    gram = try Matrix(rows: r, columns: r, what: what)
    triangle = try Matrix(rows: r, columns: r, what: what)
    energies = Array(repeating: 0, count: r)
    squares = energies
    generator = SeededGenerator(seed: 0, stream: .synthesis)
    for i in 0..<r { randomize(i, in: &basis) }
    orthonormalize(&basis)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("basis", &basis)
    try visitor.visit("energies", &energies)
    try visitor.visit("trace", &trace)
    try visitor.visit("is started", &isStarted)
    try visitor.value("generator", &generator)
    visitor.scratch("projected", projected)
    visitor.scratch("image", image)
    visitor.scratch("rows", scratch)
    visitor.scratch("gram", gram)
    visitor.scratch("triangle", triangle)
    visitor.scratch("squares", squares)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, rank r: Int, samples: Int) -> Int {
    let rows = site.bytes(r, site.order)
    return sum(
      ofBytes: rows, rows, rows, site.bytes(samples, r), site.bytes(r, r), site.bytes(r, r),
      2 * r * MemoryLayout<Double>.stride)
  }

  /// The mean of the eigenvalues that the first `rank` directions leave out.
  func residualEnergy(rank: Int) -> Double {
    let left = basis.columns - rank
    return left > 0 ? max(0, trace - energies.prefix(rank).reduce(0, +)) / Double(left) : 0
  }

  /// Follows the subspace to the samples X̃ (n,d).
  func update(inputs x: borrowing Matrix<Scalar>) {
    for _ in 0..<iterations(samples: x.rows) {
      projected.resize(rows: x.rows)
      projected.setToProduct(x, .none, basis, .transposed, inner: x.columns, outputColumns: rank)
      image.setToProduct(
        projected, .transposed, x, .none, inner: x.rows, outputColumns: x.columns, alpha: 1 / Double(x.rows))
      for i in 0..<rank { energies[i] = 0 }
      projected.addSquares(to: &energies)
      for i in 0..<rank { energies[i] /= Double(x.rows) }
      orthonormalize(&image)
      swap(&basis, &image)
    }
    trace = x.dot(x) / Double(x.rows)
    isStarted = true
  }

  /// Rows to an orthonormal basis of their span, in the order of Gram and Schmidt: L⁻¹ times them, where LLᵀ is the
  /// matrix of their inner products. Once is as exact as the rows are independent; the second time finds them so.
  private func orthonormalize(_ rows: inout Matrix<Scalar>) {
    let enough = Double(Scalar.ulpOfOne) * 64
    for _ in 0..<5 {
      rows.rowDots(rows, into: &squares)
      for i in 0..<rank where !rows.normalizeRow(i, square: squares[i]) {
        randomize(i, in: &rows)
        _ = rows.normalizeRow(i)
      }
      gram.setToProduct(rows, .none, rows, .transposed, inner: rows.columns, outputColumns: rank)
      if gram.distanceFromIdentity() <= enough { return }
      triangle.setToInverseFactor(of: gram, shift: Double(Scalar.ulpOfOne) * 16)
      scratch.setToProduct(triangle, .none, rows, .none, inner: rank, outputColumns: rows.columns)
      swap(&scratch, &rows)
    }
  }

  private func randomize(_ row: Int, in matrix: inout Matrix<Scalar>) {
    for j in 0..<matrix.columns { matrix[row, j] = Scalar(generator.normal()) }
  }
}
