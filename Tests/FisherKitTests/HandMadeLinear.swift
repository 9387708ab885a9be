import FisherKit

/// z = Wx̃, by loops over arrays of its own.
final class HandMadeLinear: Network {
  let (inputExtent, outputExtent): (Extent, Extent)
  let batchCapacity: Int
  let weights: Parameter<Double>
  var input: Matrix<Double>
  var output: Matrix<Double>
  var profile: StepProfile?

  init(inputs: Int, outputs: Int, capacity: Int) throws {
    (inputExtent, outputExtent, batchCapacity) = (Extent(channels: inputs), Extent(channels: outputs), capacity)
    weights = try Parameter(name: "own", neurons: outputs, order: inputs + 1, subsystem: LinearLayer())
    input = try Matrix(rows: capacity, columns: inputs + 1)
    output = try Matrix(rows: capacity, columns: outputs)
    input.fill(column: inputs, with: 1)
  }

  var parameters: [Parameter<Double>] { [weights] }
  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("weights", weights)
    visitor.scratch("input", input)
    visitor.scratch("output", output)
  }

  private func pass() {
    output.resize(rows: input.rows)
    for s in 0..<input.rows {
      for i in 0..<outputs {
        output[s, i] = (0...inputs).reduce(0) { $0 + weights.value[i, $1] * input[s, $1] }
      }
    }
  }

  func forward<R, E: Error>(_ body: (borrowing Matrix<Double>) throws(E) -> R) throws(E) -> R {
    pass()
    return try body(output)
  }

  func predict<R, E: Error>(_ body: (borrowing Matrix<Double>) throws(E) -> R) throws(E) -> R {
    pass()
    return try body(output)
  }

  func predict(observing body: ObservationBody<Double>) throws(FisherError) {
    pass()
    try observe(body)
  }

  func observe(_ body: ObservationBody<Double>) throws(FisherError) {
    try Observation.with(inputs: input, preactivations: output) { (observed) throws(FisherError) in
      try body(0, observed)
    }
  }

  func backward(_ body: (_ outputs: borrowing Matrix<Double>, _ delta: inout Matrix<Double>) -> Void) {
    guard var delta = try? Matrix<Double>(rows: output.rows, columns: outputs) else { return }
    body(output, &delta)
    for i in 0..<outputs {
      for j in 0...inputs {
        weights.gradient[i, j] = (0..<output.rows).reduce(0) { $0 + delta[$1, i] * input[$1, j] }
      }
    }
  }
}
