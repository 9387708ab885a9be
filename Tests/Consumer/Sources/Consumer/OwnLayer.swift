import FisherKit

/// y = x + f(Wx̃): a residual layer, whose inputs pass by it as well.
final class ResidualLayer<Scalar: KernelScalar>: Layer {
  let width: Int
  let weights: Parameter<Scalar>
  private let activation: any Activation
  private var preactivations: Matrix<Scalar>
  /// ∂L/∂z, while delta stays ∂L/∂y for what passes by.
  private var inner: Matrix<Scalar>

  init(width: Int, activation: any Activation, name: String, using generator: inout SeededGenerator) throws(FisherError)
  {
    self.width = width
    self.activation = activation
    weights = try Parameter(
      name: name, neurons: width, order: width + 1, subsystem: NonlinearLayer(activation.metricForm))
    weights.startGlorotUniform(using: &generator)
    preactivations = try Matrix(rows: 0, columns: width)
    inner = try Matrix(rows: 0, columns: width)
  }

  var inputExtent: Extent { Extent(channels: width) }
  var outputExtent: Extent { Extent(channels: width) }
  var parameters: [Parameter<Scalar>] { [weights] }
  var bytes: Int { weights.bytes + preactivations.bytes + inner.bytes }

  func prepare(batchCapacity capacity: Int) throws(FisherError) {
    preactivations = try Matrix(rows: capacity, columns: width, what: "\(weights.name): pre-activations")
    inner = try Matrix(rows: capacity, columns: width, what: "\(weights.name): derivatives of pre-activations")
  }

  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    preactivations.resize(rows: input.rows)
    preactivations.setToProduct(input, .none, weights.value, .transposed)
    output.resize(rows: input.rows)
    activation.values(&output, of: preactivations)
    // (without the bias column, which is 1 in both)
    for s in 0..<input.rows {
      let x = input.row(s)
      var y = output.mutableRow(s)
      for j in 0..<width { y[j] += x[j] }
    }
  }

  func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    inner.copy(from: delta)
    activation.backward(&inner, of: preactivations)
    weights.gradient.setToProduct(inner, .transposed, input, .none)
  }

  func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows)
    inputDelta.setToProduct(inner, .none, weights.value, .none, inner: width, outputColumns: width)
    inputDelta.add(delta)
  }

  func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    try Observation.with(inputs: input, preactivations: preactivations) { (observed) throws(FisherError) in
      try body(0, observed)
    }
  }
}

/// Two of them below a softmax: derivatives against central differences, and training.
func checkLayer() throws {
  var generator = SeededGenerator(seed: 2)
  let (width, classes, samples) = (5, 3, 24)
  let model = try Sequential<Double>(
    [
      ResidualLayer(width: width, activation: Tanh(), name: "residual 1", using: &generator),
      ResidualLayer(width: width, activation: Softsign(), name: "residual 2", using: &generator),
      Dense(
        inputs: width, outputs: classes, activation: Linear(), subsystem: SoftmaxLayer(), name: "softmax",
        using: &generator),
    ], batchCapacity: samples)
  let rows = (0..<samples).map { _ in (0..<width).map { _ in generator.normal() } }
  // (the class is the largest of the first features: it can be learned)
  let labels = rows.map { row in Int32((0..<classes).max { row[$0] < row[$1] }!) }
  model.input.assign(rows, bias: true)

  _ = model.gradients(labels: labels.span)
  let h = 1e-6
  for parameter in model.parameters {
    let gradient = parameter.gradient.elements
    let differences = (0..<parameter.neurons).map { i in
      (0..<parameter.order).map { j in
        let weight = parameter.value[i, j]
        let losses = [weight + h, weight - h].map {
          parameter.value[i, j] = $0
          return model.evaluate(labels: labels.span).loss / Double(samples)
        }
        parameter.value[i, j] = weight
        return (losses[0] - losses[1]) / (2 * h)
      }
    }
    let error = distance(gradient, differences)
    expect(error < 1e-7, "\(parameter.name): a gradient \(error) from the central differences")
  }

  let optimizer = try RNGD<Double>(metric: ExactMetric(), learningRate: 0.1, refreshInterval: 5)
  try optimizer.prepare(for: model, batchSize: samples)
  var losses: [Double] = []
  for _ in 0..<40 {
    losses.append(model.gradients(labels: labels.span).loss)
    let incidents = try optimizer.step(model)
    expect(incidents.isEmpty, "\(incidents)")
  }
  expect(losses.last! < 0.5 * losses[0], "expected half the loss of \(losses[0]), found \(losses.last!)")
}
