/// Parameters in groups, each with an optimizer of its own, or none, which leaves its weights as they are.
///
///     let optimizer = try OptimizerGroups<Float>([
///       ParameterGroup(.withoutSubsystem, optimizer: try Adam(decay: .decoupled(0.01))),
///       ParameterGroup(.named("layer 1"), optimizer: nil),                        // frozen
///       ParameterGroup(.all, optimizer: try RNGD()),
///     ])
///
/// A parameter belongs to the first group that takes it.
public final class OptimizerGroups<Scalar: KernelScalar>: Optimizer {
  public let groups: [ParameterGroup<Scalar>]
  private var models: [ModelPart<Scalar>] = []
  private var steps = 0
  /// γ of each group's optimizer when it was prepared.
  private var firstRates: [Double] = []

  /// - Throws: `invalidArgument` where there is no group.
  public init(_ groups: [ParameterGroup<Scalar>]) throws(FisherError) {
    try require(!groups.isEmpty, "groups", expected: "at least one", found: groups.count)
    self.groups = groups
  }

  public var name: String {
    var names: [String] = []
    for group in groups {
      let name = group.optimizer?.name ?? "frozen"
      if !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: " + ")
  }

  /// Of the last group with an optimizer, which most parameters fall to. To set it scales those of all groups alike.
  public var learningRate: Double {
    get { groups.last { $0.optimizer != nil }?.optimizer?.learningRate ?? 0 }
    set {
      let before = learningRate
      guard before > 0 else { return }
      for group in groups {
        if let optimizer = group.optimizer { optimizer.learningRate *= newValue / before }
      }
    }
  }

  /// The names of the parameters of each group.
  public func assignment(of parameters: [Parameter<Scalar>]) throws(FisherError) -> [[String]] {
    try indices(of: parameters).map { $0.map { parameters[$0].name } }
  }

  private func indices(of parameters: [Parameter<Scalar>]) throws(FisherError) -> [[Int]] {
    var lists = groups.map { _ in [Int]() }
    for (index, parameter) in parameters.enumerated() {
      guard let group = groups.firstIndex(where: { $0.parameters.contains(parameter) }) else {
        throw .invalidArgument(
          what: "groups", expected: "one that \(parameter.name) belongs to, such as .all behind the others",
          found: "none")
      }
      lists[group].append(index)
    }
    for (list, group) in zip(lists, groups) where list.isEmpty && group.parameters != .all {
      throw .invalidArgument(
        what: "group \(group.parameters)",
        expected: "one of \(parameters.map(\.name).joined(separator: ", "))"
          + " that no group before it has", found: "none")
    }
    return lists
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    let lists = try indices(of: model.parameters)
    (models, steps, firstRates) = ([], 0, [])
    for (list, group) in zip(lists, groups) {
      let part = ModelPart(of: model, list)
      if !list.isEmpty { try group.optimizer?.prepare(for: part, batches: batches) }
      models.append(part)
      firstRates.append(group.optimizer?.learningRate ?? 0)
    }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    demand(models.count == groups.count, "prepare the optimizer for this model first")
    // (all of them, before a group moves its weights)
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    var incidents: [Incident] = []
    for i in groups.indices {
      guard let optimizer = groups[i].optimizer, !models[i].parameters.isEmpty else { continue }
      let found = try optimizer.step(models[i])
      if !found.isEmpty { incidents += found }
    }
    return incidents
  }

  public func observe(_ model: any Model<Scalar>) throws(FisherError) {
    for i in groups.indices where !models[i].parameters.isEmpty { try groups[i].optimizer?.observe(models[i]) }
  }

  public func expect(_ run: RunLength) {
    for i in groups.indices where !models[i].parameters.isEmpty { groups[i].optimizer?.expect(run) }
  }

  public func beginEvaluation(_ model: any Model<Scalar>) {
    for i in groups.indices where !models[i].parameters.isEmpty { groups[i].optimizer?.beginEvaluation(models[i]) }
  }

  public func endEvaluation(_ model: any Model<Scalar>) {
    for i in groups.indices where !models[i].parameters.isEmpty { groups[i].optimizer?.endEvaluation(models[i]) }
  }

  public var parts: [any Optimizer<Scalar>] { groups.compactMap(\.optimizer) }

  public var wantsLossAfterStep: Bool {
    for group in groups where group.optimizer?.wantsLossAfterStep == true { return true }
    return false
  }

  public func note(loss: Double, after: Double) {
    for group in groups where group.optimizer?.wantsLossAfterStep == true {
      group.optimizer?.note(loss: loss, after: after)
    }
  }

  public func restart() { for group in groups { group.optimizer?.restart() } }
  public var plan: [LayerPlan] { parts.flatMap(\.plan) }
  public var boundSteps: [(name: String, steps: Int)] { parts.flatMap(\.boundSteps) }
  public var bytes: Int { stateBytes }

  public func measure(by profile: StepProfile?) -> Bool {
    // (a step's parts are in several optimizers, some of which take no times: the whole is what the caller takes)
    guard parts.count == 1 else { return false }
    return parts[0].measure(by: profile)
  }

  public var settings: [String: String] {
    var settings: [String: String] = [:]
    for (index, group) in groups.enumerated() {
      let name = "group \(index + 1)"
      settings[name] = "\(group.parameters): \(group.optimizer?.name ?? "frozen")"
      if let optimizer = group.optimizer {
        settings["\(name), learning rate"] = "\(firstRates.isEmpty ? optimizer.learningRate : firstRates[index])"
        for (key, value) in optimizer.settings { settings["\(name), \(key)"] = value }
      }
    }
    return settings
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("steps", &steps, in: 0...(.max))
    for (index, group) in groups.enumerated() {
      if let optimizer = group.optimizer, models.isEmpty || !models[index].parameters.isEmpty {
        try visitor.child("group \(index + 1)", optimizer)
      }
    }
  }
}
