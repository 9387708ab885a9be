import Foundation
import Testing

@testable import FisherKit

/// A small run of training that can be ended after any of its steps, and gone on with by another trainer.
struct ResumedRun: Sendable, CustomTestStringConvertible {
  let name: String
  var testDescription: String { name }
  var optimizer: @Sendable () throws -> any Optimizer<Float>
  var hasBatchNormalization = false
  var hasBlocks = false
  var pair: Int?
  var model = Kind.perceptron
  var stopping: EarlyStopping?
  var seed: UInt64 = 3
  /// Of the first hidden layer.
  var width = 9
  var epochs = 3

  enum Kind {
    case perceptron
    /// Of the features as a series: convolutions with their pooling, grouped and depthwise ones, all normalisations, dropout, a
    /// residual block and parallel branches.
    case cnn
  }

  init(
    _ name: String, pair: Int? = nil, batchNorm: Bool = false, blocks: Bool = false, stopping: EarlyStopping? = nil,
    epochs: Int = 3, optimizer: @escaping @Sendable () throws -> any Optimizer<Float>
  ) {
    (self.name, self.optimizer, self.pair) = (name, optimizer, pair)
    (hasBatchNormalization, hasBlocks, self.stopping, self.epochs) = (batchNorm, blocks, stopping, epochs)
  }

  /// By RNGD, at a rate that makes something of three epochs.
  static func rngd(
    _ name: String, _ metric: any Metric = ExactMetric(), damping: Damping = .usual,
    schedule: RefreshSchedule = RefreshSchedule(interval: 5), trustRegion: TrustRegion = .usual, pair: Int? = nil,
    batchNorm: Bool = false, blocks: Bool = false, stopping: EarlyStopping? = nil, epochs: Int = 3,
    model: Kind = .perceptron
  ) -> ResumedRun {
    var run = ResumedRun(name, pair: pair, batchNorm: batchNorm, blocks: blocks, stopping: stopping, epochs: epochs) {
      try RNGD(
        metric: metric, learningRate: 0.02, damping: damping, schedule: schedule, trustRegion: trustRegion,
        decay: .l2(1e-3))
    }
    run.model = model
    // (so wide that its refresh comes in parts)
    if schedule.isSpread { run.width = 40 }
    return run
  }

  private static let cnn = try! ModelDescription(
    json: Data(
      """
      {"input": [16, 4], "activation": "tanh", "layers": [
        {"layer": "convolution", "outputs": 6, "kernel": 3, "padding": "same"},
        {"layer": "batch normalisation"},
        {"layer": "max pooling", "kernel": 2},
        {"layer": "residual", "layers": [
          {"layer": "convolution", "outputs": 6, "kernel": 3, "padding": "same", "groups": 6},
          {"layer": "group normalisation", "groups": 2},
          {"layer": "convolution", "outputs": 6, "kernel": 3, "padding": "same", "groups": 2}]},
        {"layer": "parallel", "branches": [
          [{"layer": "convolution", "outputs": 4, "kernel": 1}, {"layer": "layer normalisation"}],
          [{"layer": "convolution", "outputs": 3, "kernel": 3, "padding": "same"}, {"layer": "rms normalisation"}]]},
        {"layer": "dropout", "rate": 0.1},
        {"layer": "average pooling", "kernel": 2},
        {"layer": "flatten"},
        {"layer": "dense", "outputs": 9},
        {"layer": "dense"}]}
      """.utf8), place: "cnn")

  static let costs = MachineCosts(
    products: 5e10, grams: 5e10, factors: 1e10, solves: 1e10, bandwidth: 1e10, call: 1e-6)

  /// 8 steps an epoch, the last one of a shorter mini-batch.
  static let stepsPerEpoch = 8

  func trainer() throws -> Trainer<Float> {
    let data = try SyntheticData.make(training: 150, validation: 40, test: 30, seed: 5)
    let options = hasBatchNormalization ? BatchNormalizationOptions(hasBlocks: hasBlocks) : nil
    let model: Sequential<Float> =
      switch self.model {
      case .perceptron:
        try .perceptron(
          shape: [data.width, width, 7, data.classes], activation: Tanh(), batchNormalization: options,
          batchCapacity: 40, seed: seed)
      case .cnn:
        try Self.cnn.make(features: data.width, outputs: data.classes, batchCapacity: 40, seed: seed)
      }
    if let pair { try model.pairLayers(at: pair) }
    return try Trainer(
      model: model, optimizer: try optimizer(), data: data, batchSize: 20, stopping: stopping, epochs: epochs,
      seed: seed)
  }

  /// What is left of a run: the bits of all losses and weights.
  struct Outcome: Equatable {
    var lines: [String] = []
    var state: SavedState?

    static func == (a: Outcome, b: Outcome) -> Bool { a.lines == b.lines && a.difference(from: b) == nil }

    /// The first entry of the state that is another.
    func difference(from other: Outcome) -> String? {
      guard let state, let theirs = other.state else { return "none" }
      if state.entries != theirs.entries { return "entries" }
      return state == theirs ? nil : "elements"
    }
  }

  private struct Ended: Error {}

  /// Runs on to the end, or until `end` says so; the trainer's journal has a line for each step and epoch.
  /// - Returns: `nil` where it was ended.
  @discardableResult
  func run(_ trainer: Trainer<Float>, until end: (TrainingEvent) throws -> Bool = { _ in false }) throws -> Outcome? {
    do {
      let test = try trainer.run(epochs: epochs - trainer.epochsDone) { event in
        switch event {
        case .step(let epoch, let step, _, let loss): trainer.journal += "\(epoch) \(step) \(loss)\n"
        case .epoch(let report):
          trainer.journal +=
            "\(report.epoch) \(report.step) \(report.training) \(report.validation) \(report.bounds)\n"
        case .survived(let incident): trainer.journal += "\(incident)\n"
        case .stoppedEarly(let epoch, let best): trainer.journal += "stopped \(epoch) \(best)\n"
        case .began, .evaluated, .finished: break
        }
        if try end(event) { throw Ended() }
      }
      let lines = trainer.journal.split(separator: "\n").map(String.init) + ["\(test)"]
      return Outcome(lines: lines, state: try SavedState(of: WithoutClock(trainer)))
    } catch is Ended {
      return nil
    }
  }

  /// All that a trainer holds but for the seconds that it took.
  private final class WithoutClock: State {
    private let trainer: Trainer<Float>
    init(_ trainer: Trainer<Float>) { self.trainer = trainer }

    func visit(_ visitor: StateVisitor) throws {
      try visitor.child("model", trainer.model)
      try visitor.child("optimizer", trainer.optimizer)
    }
  }

  /// Runs with an end after each of these numbers of steps, or of an epoch, and goes on from a file each time.
  /// - Parameter path: of a folder for checkpoints.
  func interrupted(at ends: [Int?], afterReports: Bool, path: String) throws -> Outcome? {
    let folder = try CheckpointFolder(path: path, keepLast: 1)
    for (index, end) in (ends + [nil]).enumerated() {
      let trainer = try trainer()
      // (there is nothing yet before the first end)
      guard (try trainer.resume(from: folder) == nil) == (index == 0) else { return nil }
      let outcome = try run(trainer) { event in
        guard let end, trainer.stepsDone >= end else { return false }
        switch event {
        case .step(_, let step, let steps, _) where !(afterReports && step == steps): break
        case .epoch where afterReports: break
        default: return false
        }
        try trainer.write(to: folder)
        return true
      }
      // (early stopping may be before an end)
      if let outcome { return end == nil || stopping != nil ? outcome : nil }
    }
    return nil
  }
}
