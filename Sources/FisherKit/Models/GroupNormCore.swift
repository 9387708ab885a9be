/// What normalisations of groups of channels have in common: the parameter, and what their backward pass needs.
final class GroupNormCore<Scalar: KernelScalar>: State {
  let extent: Extent
  let shape: GroupNormShape
  let parameter: Parameter<Scalar>
  private var normalized: Matrix<Scalar>
  /// 1/√(mean square + ε) of each group of each sample, packed.
  private var deviations: Matrix<Scalar>

  init(
    _ extent: Extent, groups: Int, overPositions: Bool, isCentred: Bool, epsilon: Double, subsystem: (any Subsystem)?,
    name: String
  ) throws(FisherError) {
    try extent.validate("\(name): channels")
    try require(
      groups > 0 && extent.channels % groups == 0, "\(name): groups",
      expected: "a number that divides \(extent.channels) channels",
      found: groups)
    try require(
      Scalar(epsilon) > 0 && epsilon <= 1e30, "epsilon", expected: "a positive \(Scalar.self) to 1e30", found: epsilon)
    self.extent = extent
    shape = GroupNormShape(
      positions: overPositions ? extent.positions : 1, channels: extent.channels, groups: groups, isCentred: isCentred,
      epsilon: epsilon)
    parameter = try Parameter(
      name: name, neurons: extent.channels, order: isCentred ? 2 : 1, subsystem: subsystem, isDecayed: false,
      positions: extent.positions)
    parameter.value.fill(column: 0, with: 1)
    normalized = try Matrix(rows: 0, columns: extent.channels)
    deviations = try Matrix(rows: 0, columns: 1)
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("scale and shift", parameter)
    visitor.scratch("normalised", normalized)
    visitor.scratch("deviations", deviations)
  }

  func prepare(batchCapacity capacity: Int) throws(FisherError) {
    let what = "\(parameter.name): normalised inputs"
    let rows = try extent.rows(samples: capacity, what)
    normalized = try Matrix(rows: rows, columns: extent.channels, what: what)
    deviations = try Matrix(rows: 1, columns: rows / shape.positions * shape.groups, what: what)
  }

  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    normalized.resize(rows: input.rows)
    output.resize(rows: input.rows)
    output.setToNormalized(
      input, normalized: &normalized, deviations: &deviations, parameters: parameter.value, shape)
  }

  /// Leaves ∂L/∂input in delta.
  func backward(_ delta: inout Matrix<Scalar>) {
    delta.setToNormalizationBackward(
      gradient: &parameter.gradient, normalized: normalized, deviations: deviations, parameters: parameter.value, shape)
  }

  /// x̂ for both: each channel has inputs of its own, and its outputs have unit variance whatever they are.
  func observe(_ body: ObservationBody<Scalar>) throws(FisherError) {
    guard parameter.subsystem != nil else { return }
    try body(0, Observation(inputs: normalized, preactivations: normalized, positions: extent.positions))
  }

  func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {
    try tensors.exchange("weight", &parameter.value, columns: 0..<1)
    if shape.isCentred { try tensors.exchange("bias", &parameter.value, columns: 1..<2) }
  }
}
