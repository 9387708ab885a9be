import ArgumentParser
import FisherKit

/// What is done about gradients and weights around an optimizer's steps.
struct StepOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Scale gradients down to this norm over all parameters, where they are longer.", valueName: "norm"))
  var clip: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The same, each parameter by itself.", valueName: "norm"))
  var clipParameters: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Mini-batches in a step, which goes by the mean of their gradients.", valueName: "N"))
  var accumulate = 1
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Evaluate and keep an exponential average of the weights, of which this is left at each step, such as 0.999.",
      valueName: "β"))
  var averageWeights: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Schedule-Free steps: gradients are taken between where steps lead and their average, this part of the way, such as 0.9; "
        + "the average is evaluated and kept. Best without momentum, and needs no falling rate.",
      valueName: "β"))
  var scheduleFree: Double?
  @Option(
    help: ArgumentHelp(
      "Groups of parameters with optimizers of their own, in JSON: see fisher inspect --help.", valueName: "file"))
  var groups: String?

  func validate() throws {
    try refusing {
      let plain = try SGD<Float>()
      if clip != nil || clipParameters != nil {
        _ = try ClippedGradients(plain, norm: clip, parameterNorm: clipParameters)
      }
      _ = try AccumulatedGradients(plain, over: accumulate)
      if let scheduleFree { _ = try ScheduleFree(plain, beta: scheduleFree) }
      if let averageWeights { _ = try AveragedWeights(plain, decay: averageWeights) }
    }
  }

  /// The optimizer of all parameters that no group has, with all around it.
  /// - Parameter make: makes what flags say.
  func wrap(
    _ optimizer: OptimizerOptions, make: (OptimizerOptions) throws -> any Optimizer<Float>
  ) throws -> any Optimizer<Float> {
    var made = try make(optimizer)
    if let groups { made = try GroupFile(path: groups).optimizer(rest: made, make: make) }
    if clip != nil || clipParameters != nil {
      made = try ClippedGradients(made, norm: clip, parameterNorm: clipParameters)
    }
    if let scheduleFree { made = try ScheduleFree(made, beta: scheduleFree) }
    // (weights are averaged by steps, not by mini-batches)
    if let averageWeights { made = try AveragedWeights(made, decay: averageWeights) }
    if accumulate > 1 { made = try AccumulatedGradients(made, over: accumulate) }
    return made
  }

  /// For people.
  var summary: [String] {
    [
      clip.map { "gradients clipped at \(short($0))" }, clipParameters.map { "each parameter's at \(short($0))" },
      accumulate > 1 ? "\(accumulate) mini-batches in a step" : nil,
      scheduleFree.map { "schedule-free by \(short($0))" },
      averageWeights.map { "weights averaged by \(short($0))" },
      groups.map { "groups of \($0.visible(keeping: []))" },
    ].compactMap { $0 }
  }
}
