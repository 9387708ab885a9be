import FisherKit
import Foundation

/// A softmax of temperature T, η = softmax(z/T): classes are coupled by A_s = (diag η − ηηᵀ)/T², whose square root has the
/// columns √η_k (e_k − η)/T.
struct TemperedSoftmax: Subsystem, Coupling {
  let temperature: Double
  var description: String { "softmax of temperature \(temperature)" }
  var form: Form { .coupled(self) }
  var hasNormalOutputs: Bool { false }

  private func eta<S: KernelScalar>(_ z: borrowing Matrix<S>) throws(FisherError) -> Matrix<S> {
    var scaled = try Matrix<S>(rows: z.rows, columns: z.columns, what: "z/T")
    scaled.copy(from: z)
    scaled.scale(by: 1 / temperature)
    var eta = try Matrix<S>(rows: z.rows, columns: z.columns, what: "η")
    eta.setToSoftmax(of: scaled)
    return eta
  }

  /// The diagonals of the A_s.
  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    nu.copy(from: z)
    nu.scale(by: 1 / temperature)
    for s in 0..<nu.rows {
      var row = nu.mutableRow(s)
      var (largest, total) = (-S.infinity, 0.0)
      for j in row.indices { largest = max(largest, row[j]) }
      for j in row.indices { total += exp(Double(row[j] - largest)) }
      for j in row.indices {
        let eta = exp(Double(row[j] - largest)) / total
        row[j] = S(eta * (1 - eta) / (temperature * temperature))
      }
    }
  }

  func covariance<S: KernelScalar>(
    preactivations z: borrowing Matrix<S>
  ) throws(FisherError) -> any SampleCovariance<S> {
    let (n, m) = (z.rows, z.columns)
    let eta = try eta(z)
    var roots = try Matrix<S>(rows: n * m, columns: m, what: "roots of \(n) samples")
    for s in 0..<n {
      let probabilities = eta.row(s)
      for k in 0..<m {
        var root = roots.mutableRow(s * m + k)
        let scale = probabilities[k].squareRoot() / S(temperature)
        for i in 0..<m { root[i] = scale * ((i == k ? 1 : 0) - probabilities[i]) }
      }
    }
    return try RootCovariance(roots: roots, samples: n)
  }
}

/// The value and what the exact metric inverts, against the matrix summed by hand.
func checkSubsystem() throws {
  try checkSubsystem(Double.self, 1e-12)
  try checkSubsystem(Float.self, 2e-5)
}

private func checkSubsystem<S: KernelScalar>(_: S.Type, _ tolerance: Double) throws {
  let (n, d, m, temperature, damping) = (11, 4, 3, 2.0, 0.05)
  let subsystem = TemperedSoftmax(temperature: temperature)
  var generator = SeededGenerator(seed: 4)
  var x = try Matrix<S>(rows: n, columns: d)
  var z = try Matrix<S>(rows: n, columns: m)
  var gradient = try Matrix<S>(rows: m, columns: d)
  x.fillNormal(using: &generator)
  x.fill(column: d - 1, with: 1)
  z.fillNormal(deviation: 2, using: &generator)
  gradient.fillNormal(using: &generator)

  // (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ, as it is written.
  var dense = try Matrix<Double>(rows: m * d, columns: m * d)
  for s in 0..<n {
    let weights = (0..<m).map { exp(Double(z[s, $0]) / temperature) }
    let eta = weights.map { $0 / weights.reduce(0, +) }
    for row in 0..<m * d {
      for column in 0..<m * d {
        let (i, j) = (row / d, column / d)
        let a = ((i == j ? eta[i] : 0) - eta[i] * eta[j]) / (temperature * temperature)
        dense[row, column] += a * Double(x[s, row % d]) * Double(x[s, column % d]) / Double(n)
      }
    }
  }
  let value = try subsystem.rfim(inputs: x, preactivations: z).dense().elements.map { $0.map(Double.init) }
  expect(distance(value, dense.elements) < tolerance, "the value's matrix in \(S.self)")
  // ν makes the diagonals of its blocks.
  var nu = try Matrix<S>(rows: n, columns: m)
  subsystem.nu(&nu, preactivations: z)
  var squares = try Matrix<S>(rows: n, columns: d)
  squares.copy(from: x)
  squares.multiplyElements(x)
  var diagonals = try Matrix<S>(rows: m, columns: d)
  diagonals.setToProduct(nu, .transposed, squares, .none, alpha: 1 / Double(n))
  let own = [diagonals.elements.flatMap { $0.map(Double.init) }]
  expect(distance(own, [(0..<m * d).map { dense[$0, $0] }]) < tolerance, "ν in \(S.self)")

  let curvature = try ExactMetric().makeCurvature(
    for: CurvatureSite<S>(
      Site(name: "output", neurons: m, order: d, subsystem: subsystem), batchSize: n, refreshInterval: 1,
      damping: .absolute(damping)))
  try curvature.observe(inputs: x, preactivations: z)
  try curvature.refresh()
  let vector = gradient.elements.flatMap { $0.map(Double.init) }
  try curvature.precondition(&gradient)
  try dense.factor(damping: damping, parameter: "the matrix by hand")
  var expected = try Matrix(vector, columns: m * d)
  expected.solve(factor: dense)
  let error = distance([gradient.elements.flatMap { $0.map(Double.init) }], expected.elements)
  expect(error < 10 * tolerance, "exact in \(S.self): a direction \(error) from that of the matrix by hand")
}
