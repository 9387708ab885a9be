import FisherKit

/// The diagonals of the neurons' blocks, Ĝ_i,aa = (1/n) Σ ν_i x̃_a², of the mini-batches since the last refresh.
struct OwnDiagonal: Metric {
  var name: String { "own diagonal" }

  func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try OwnDiagonalCurvature(for: site)
  }
}

final class OwnDiagonalCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  /// The sums Σ ν_i x̃_a² (m,d) over so many samples, and what is made of them: 1/(Ĝ_i,aa + λ).
  private var sums: Matrix<Scalar>
  private var samples = 0
  private var reciprocals: Matrix<Scalar>
  private var squares: Matrix<Scalar>
  private var nu: Matrix<Scalar>

  init(for site: CurvatureSite<Scalar>) throws(FisherError) {
    self.site = site
    sums = try Matrix(rows: site.neurons, columns: site.order, what: "\(site.name): sums")
    reciprocals = try Matrix(rows: site.neurons, columns: site.order, what: "\(site.name): diagonals")
    squares = try Matrix(rows: site.batchRows, columns: site.order, what: "\(site.name): squares")
    nu = try Matrix(rows: site.batchRows, columns: site.neurons, what: "\(site.name): ν")
  }

  var bytes: Int { sums.bytes + reciprocals.bytes + squares.bytes + nu.bytes }

  func observe(_ observed: borrowing Observation<Scalar>) throws(FisherError) {
    squares.resize(rows: observed.rows)
    squares.copy(from: observed.inputs)
    squares.multiplyElements(observed.inputs)
    nu.resize(rows: observed.rows)
    site.subsystem.nu(&nu, preactivations: observed.preactivations)
    sums.setToProduct(nu, .transposed, squares, .none, beta: samples == 0 ? 0 : 1)
    samples += observed.samples
  }

  func refresh() throws(FisherError) {
    reciprocals.copy(from: sums)
    reciprocals.scale(by: 1 / Double(samples))
    for i in 0..<site.neurons {
      var row = reciprocals.mutableRow(i)
      var trace = 0.0
      for j in row.indices { trace += Double(row[j]) }
      let lambda = Scalar(site.lambda(trace: trace, order: site.order))
      for j in row.indices { row[j] = 1 / (row[j] + lambda) }
    }
    samples = 0
  }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) { gradient.multiplyElements(reciprocals) }
}

/// What the built-in metric makes of the same mini-batches, and training with it.
func checkMetrics() throws {
  try checkMetric(OwnDiagonal(), against: DiagonalMetric(), Double.self, tolerance: 1e-13)
  try checkMetric(OwnDiagonal(), against: DiagonalMetric(), Float.self, tolerance: 1e-5)
  try checkMetric(OwnBlocks(), against: ExactMetric(), Double.self, tolerance: 1e-12)
  try checkMetric(OwnBlocks(), against: ExactMetric(), Float.self, tolerance: 1e-4)

  let data = try SyntheticData.make(training: 1_000, validation: 200, test: 200)
  let model = try Sequential<Float>.perceptron(
    shape: [data.width, 8, data.classes], activation: Softsign(), batchCapacity: 200)
  let optimizer = try RNGD<Float>(metric: OwnDiagonal(), learningRate: 0.02)
  let score = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 50).run(epochs: 2) { _ in }
  expect(score.loss < 2, "expected a test loss below 2 with a metric of one's own, found \(score.loss)")
}

private func checkMetric<S: KernelScalar>(
  _ own: any Metric, against builtIn: any Metric, _: S.Type, tolerance: Double
) throws {
  let (n, d, m) = (30, 6, 19)
  let site = CurvatureSite<S>(
    Site(name: "layer 1", neurons: m, order: d, subsystem: NonlinearLayer(Tanh())), batchSize: n, refreshInterval: 2,
    damping: 0.1)
  var generator = SeededGenerator(seed: 3)
  let curvatures = [try own.makeCurvature(for: site), try builtIn.makeCurvature(for: site)]
  for curvature in curvatures { curvature.expectRefresh(after: 2, isEarly: false) }
  for _ in 0..<2 {
    var x = try Matrix<S>(rows: n, columns: d)
    var w = try Matrix<S>(rows: m, columns: d)
    x.fillNormal(using: &generator)
    x.fill(column: d - 1, with: 1)
    w.fillUniform(in: -1...1, using: &generator)
    var z = try Matrix<S>(rows: n, columns: m)
    z.setToProduct(x, .none, w, .transposed)
    for curvature in curvatures { try curvature.observe(inputs: x, preactivations: z) }
  }
  var gradient = try Matrix<S>(rows: m, columns: d)
  gradient.fillNormal(using: &generator)
  var directions: [[[Double]]] = []
  for curvature in curvatures {
    try curvature.refresh()
    var direction = try Matrix<S>(rows: m, columns: d)
    direction.copy(from: gradient)
    try curvature.precondition(&direction)
    directions.append(direction.elements.map { $0.map(Double.init) })
  }
  let error = distance(directions[0], directions[1])
  expect(error < tolerance, "\(own) in \(S.self): a direction \(error) from that of \(builtIn)")
}
