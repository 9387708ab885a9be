/// What normalisations of groups of channels have in common: ``LayerNormalization``, ``RMSNormalization`` and
/// ``GroupNormalization``.
public class GroupedNormalization<Scalar: KernelScalar>: Layer {
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

  public var epsilon: Double { shape.epsilon }
  public var inputExtent: Extent { extent }
  public var outputExtent: Extent { extent }
  public var takesBias: Bool { false }
  public var parameters: [Parameter<Scalar>] { [parameter] }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["epsilon": "\(epsilon)"] }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.child("scale and shift", parameter)
    visitor.scratch("normalised", normalized)
    visitor.scratch("deviations", deviations)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    let what = "\(parameter.name): normalised inputs"
    let rows = try extent.rows(samples: capacity, what)
    normalized = try Matrix(rows: rows, columns: extent.channels, what: what)
    deviations = try Matrix(rows: 1, columns: rows / shape.positions * shape.groups, what: what)
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    normalized.resize(rows: input.rows)
    output.resize(rows: input.rows)
    output.setToNormalized(
      input, normalized: &normalized, deviations: &deviations, parameters: parameter.value, shape)
  }

  /// Leaves ∂L/∂input in delta.
  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    delta.setToNormalizationBackward(
      gradient: &parameter.gradient, normalized: normalized, deviations: deviations, parameters: parameter.value, shape)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.copy(from: delta)
  }

  /// x̂ for both: each channel has inputs of its own, and its outputs have unit variance whatever they are.
  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    guard parameter.subsystem != nil else { return }
    try body(0, Observation(inputs: normalized, preactivations: normalized, positions: extent.positions))
  }

  public func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {
    try tensors.exchange("weight", &parameter.value, columns: 0..<1)
    if shape.isCentred { try tensors.exchange("bias", &parameter.value, columns: 1..<2) }
  }
}

/// What a file has of one that is told by its ε.
public struct NormalizationSettings: Codable {
  var epsilon: Double
  /// `nil` leaves its parameters to the plain gradient.
  var measuredBy: SubsystemRecord?

  enum CodingKeys: String, CodingKey {
    case epsilon
    case measuredBy = "measured_by"
  }
}

extension Parameter {
  /// What its subsystem is in a file; `nil` where it has none.
  func subsystemRecord(place: String) throws(DataError) -> SubsystemRecord? {
    guard let subsystem else { return nil }
    return try SubsystemRecord(subsystem, place: place)
  }
}

extension KeptLayer {
  /// The subsystem of a normalisation, which can be of one kind alone.
  func subsystem<S: Subsystem>(_ record: SubsystemRecord?, as _: S.Type) throws(DataError) -> S? {
    guard let record else { return nil }
    guard let subsystem = try subsystem(record) as? S else { throw mistake }
    return subsystem
  }

  /// The parameter's name, of a layer that has to have one.
  func requireName() throws(DataError) -> String {
    guard let name = record.name else { throw mistake }
    return name
  }
}

extension LayerRecord {
  /// Of a normalisation: its channels, its settings, and what it is measured as.
  func summary(_ settings: [String], measuredBy: SubsystemRecord?) -> [String] {
    ["\(outputExtent) channels"] + settings + (measuredBy.map { ["measured as \($0.summary)"] } ?? [])
  }
}
