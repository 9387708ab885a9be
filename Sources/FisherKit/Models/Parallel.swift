/// Branches beside each other, all of the same inputs: their outputs one behind the other, or their sum.
///
/// Memory beside the branches: outputs and derivatives of each, and the derivative of the inputs. Cost: a copy or an addition
/// for each output of a branch, and an addition for each input.
public final class Parallel<Scalar: KernelScalar>: Layer {
  /// What becomes of the branches' outputs.
  public enum Joining: String, CaseIterable, Codable, Sendable {
    /// The channels of the first branch, then those of the second, …
    case concatenation
    case sum
  }

  public let branches: [any Layer<Scalar>]
  public let joining: Joining
  public let parameters: [Parameter<Scalar>]
  public let outputExtent: Extent
  private var flows: [Flow<Scalar>] = []
  /// The place of each branch's first parameter among those of all.
  private let firstParameters: [Int]

  /// - Throws: `invalidArgument` for no branches, for some of other inputs or positions, and for a sum of outputs of other
  ///   widths.
  public init(_ branches: [any Layer<Scalar>], joining: Joining = .concatenation) throws(FisherError) {
    try require(!branches.isEmpty, "branches", expected: "at least one", found: branches.count)
    let first = branches[0]
    for branch in branches {
      guard branch.inputExtent == first.inputExtent else {
        throw .invalidArgument(
          what: "branch \(branch.name)", expected: "\(first.inputExtent) inputs, as the first branch has",
          found: "\(branch.inputExtent)")
      }
      let isFitting =
        joining == .sum
        ? branch.outputExtent == first.outputExtent : branch.outputExtent.positions == first.outputExtent.positions
      guard isFitting else {
        throw .invalidArgument(
          what: "branch \(branch.name)",
          expected: "outputs that go with the first branch's \(first.outputExtent) for a \(joining)",
          found: "\(branch.outputExtent)")
      }
    }
    self.branches = branches
    self.joining = joining
    parameters = branches.flatMap { $0.parameters }
    var places: [Int] = []
    var next = 0
    for branch in branches {
      places.append(next)
      next += branch.parameters.count
    }
    firstParameters = places
    let channels = joining == .sum ? first.outputs : branches.reduce(0) { $0 + $1.outputs }
    outputExtent = Extent(channels: channels, positions: first.outputExtent.positions)
    try outputExtent.validate("branches: outputs")
  }

  public var inputExtent: Extent { branches[0].inputExtent }
  public var takesBias: Bool { branches.contains { $0.takesBias } }
  public var bytes: Int { stateBytes }

  public func visit(_ visitor: StateVisitor) throws {
    for (index, branch) in branches.enumerated() { try visitor.child("\(index)", branch) }
    for flow in flows { visitor.scratch("flow", bytes: flow.bytes) }
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    var flows: [Flow<Scalar>] = []
    for branch in branches {
      try branch.prepare(batchCapacity: capacity)
      flows.append(try Flow(branch, batchCapacity: capacity))
    }
    self.flows = flows
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    for i in branches.indices { branches[i].forward(input, into: &flows[i].output) }
    join(&output)
  }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    for i in branches.indices { branches[i].evaluate(input, into: &flows[i].output) }
    join(&output)
  }

  private func join(_ output: inout Matrix<Scalar>) {
    output.resize(rows: flows[0].output.rows)
    var column = 0
    for i in branches.indices {
      if joining == .sum && i > 0 {
        output.add(flows[i].output, columns: outputs)
      } else {
        output.copyColumns(0..<branches[i].outputs, of: flows[i].output, to: column)
        column += branches[i].outputs
      }
    }
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    var column = 0
    for i in branches.indices {
      let width = branches[i].outputs
      flows[i].delta.resize(rows: delta.rows)
      flows[i].delta.copyColumns(column..<(column + width), of: delta, to: 0)
      branches[i].backward(&flows[i].delta, input: input)
      if joining == .concatenation { column += width }
    }
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    for i in branches.indices {
      if i == 0 {
        branches[0].propagate(flows[0].delta, into: &inputDelta)
      } else {
        branches[i].propagate(flows[i].delta, into: &flows[i].inputDelta)
        inputDelta.add(flows[i].inputDelta, columns: inputs)
      }
    }
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    for i in branches.indices {
      try branches[i].observe(input: input) { (index, observed) throws(FisherError) in
        try body(firstParameters[i] + index, observed)
      }
    }
  }

  /// (all branches take the inputs)
  public func rescaleStart(by scales: [Double]) -> Bool {
    var isRescaled = false
    for branch in branches where branch.rescaleStart(by: scales) { isRescaled = true }
    return isRescaled
  }
}

/// What comes out of a branch, and the derivatives of the loss by that and by what went in.
private final class Flow<Scalar: KernelScalar> {
  var output: Matrix<Scalar>
  var delta: Matrix<Scalar>
  var inputDelta: Matrix<Scalar>

  init(_ branch: any Layer<Scalar>, batchCapacity: Int) throws(FisherError) {
    let rows = try branch.outputExtent.rows(samples: batchCapacity, "\(branch.name): outputs")
    let inputRows = try branch.inputExtent.rows(samples: batchCapacity, "\(branch.name): inputs")
    output = try Matrix(rows: rows, columns: branch.outputs, what: "\(branch.name): outputs")
    delta = try Matrix(rows: rows, columns: branch.outputs, what: "\(branch.name): derivatives of the outputs")
    inputDelta = try Matrix(
      rows: inputRows, columns: branch.inputs, what: "\(branch.name): derivatives of the inputs")
  }

  var bytes: Int { output.bytes + delta.bytes + inputDelta.bytes }
}

// MARK: In a file

extension Parallel: KeepableLayer {
  public struct Settings: Codable {
    var joining: Joining
  }

  public static var kind: String { "parallel" }
  public func settings(place: String) -> Settings { Settings(joining: joining) }
  public var keptParts: [(place: String, layer: any Layer<Scalar>)] {
    branches.enumerated().map { ("branches.\($0)", $1) }
  }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    try self.init(kept.parts, joining: settings.joining)
  }
}
