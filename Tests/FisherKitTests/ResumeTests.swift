import Foundation
import Testing

@testable import FisherKit

/// Ended after any step and gone on with from a file, a run comes to the same losses, weights and state, bit by bit.
@Suite final class ResumeTests {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("resume-\(UUID().uuidString)").path

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static let optimizers: [ResumedRun] = [
    ResumedRun("sgd") { try SGD(learningRate: 0.1, decay: .l2(1e-3)) },
    ResumedRun("momentum", batchNorm: true) { try Momentum(learningRate: 0.05) },
    ResumedRun("adam") { try Adam(learningRate: 0.01) },
    ResumedRun("adamw", batchNorm: true) {
      try Adam(
        learningRate: 0.01,
        decay: WeightDecay(decoupled: 0.1, includesBiases: true, includesNormalizations: true))
    },
    ResumedRun("nesterov") { try Momentum(learningRate: 0.05, isNesterov: true) },
    ResumedRun("muon", batchNorm: true) { try Muon(learningRate: 0.05, decay: .decoupled(0.01)) },
    ResumedRun("scheduled") {
      try ScheduledOptimizer(
        RNGD(metric: ExactMetric(), learningRate: 0.05, refreshInterval: 3, momentum: NaturalMomentum(0.9)),
        [
          .learningRate: WarmUp().over(.steps(5)).then(Cosine()), .damping: LinearSchedule(to: 0.1),
          .trustRegion: Staircase(at: [.epochs(1)], by: 0.5), .momentum: LinearSchedule(from: 0.5, to: 1),
        ])
    },
    ResumedRun("clipped") { try ClippedGradients(Momentum(learningRate: 0.1), norm: 0.3, parameterNorm: 0.2) },
    ResumedRun("accumulated", epochs: 6) {
      try AccumulatedGradients(RNGD(metric: ExactMetric(), learningRate: 0.05, refreshInterval: 2), over: 3)
    },
    ResumedRun("averaged", stopping: EarlyStopping(patience: 1, leastGain: 0.05), epochs: 9) {
      try AveragedWeights(Muon(learningRate: 0.05), decay: 0.9)
    },
    ResumedRun("schedule-free", stopping: EarlyStopping(patience: 1, leastGain: 0.05), epochs: 9) {
      try ScheduleFree(
        ScheduledOptimizer(
          Adam(learningRate: 0.02, beta1: 0), [.learningRate: WarmUp().over(.steps(5)).then(Constant())]))
    },
    ResumedRun("groups", batchNorm: true) {
      try OptimizerGroups([
        ParameterGroup(.withoutSubsystem, optimizer: Adam(learningRate: 0.01)),
        ParameterGroup(.named("layer 2"), optimizer: nil),
        ParameterGroup(
          .all, optimizer: AveragedWeights(RNGD(metric: ExactMetric(), learningRate: 0.02, refreshInterval: 4))),
      ])
    },
    ResumedRun("sgd, early stopping", stopping: EarlyStopping(patience: 1, leastGain: 0.05), epochs: 9) {
      try SGD(learningRate: 0.3)
    },
    ResumedRun("a rate that explodes", epochs: 4) { try SGD(learningRate: 1e6) },
  ]

  static let metrics: [ResumedRun] = [
    .rngd("exact"), .rngd("projected", ProjectedMetric(rank: .fixed(6), windowSamples: 50)),
    .rngd("projected share", ProjectedMetric(rank: .share(0.8, atMost: 12), windowSamples: 50)),
    .rngd("kernel", KernelMetric(windowSamples: 20)), .rngd("iterative", IterativeMetric(windowSamples: 60)),
    .rngd("diagonal", DiagonalMetric(windowSamples: 60)), .rngd("shared", SharedMetric(windowSamples: 60)),
    .rngd("quasi-diagonal", QuasiDiagonalMetric(windowSamples: 60)),
    .rngd("kronecker", KroneckerMetric(windowSamples: 60)),
    .rngd("kronecker pair", KroneckerMetric(windowSamples: 60), pair: 0),
    .rngd("cnn", try! AutoMetric(memoryCap: 1 << 26, rank: 6, windowSamples: 60, costs: ResumedRun.costs), model: .cnn),
    .rngd("cnn, exact", model: .cnn), .rngd("cnn, paper", PaperMetric(), model: .cnn),
    .rngd("cnn, spread", schedule: RefreshSchedule(interval: 12, isSpread: true), model: .cnn),
    .rngd("average", AverageMetric(decay: 0.5, windowSamples: 60)), .rngd("paper", PaperMetric()),
    .rngd("auto", try! AutoMetric(memoryCap: 1 << 24, rank: 6, windowSamples: 60, costs: ResumedRun.costs)),
  ]

  static let schedules: [ResumedRun] = [
    .rngd("spread", schedule: RefreshSchedule(interval: 12, isSpread: true)),
    .rngd("spread projected", ProjectedMetric(rank: .fixed(6)), schedule: RefreshSchedule(interval: 9, isSpread: true)),
    .rngd("drift", schedule: RefreshSchedule(interval: 4, drift: 0.05)),
    .rngd(
      "drift spread", ProjectedMetric(rank: .fixed(6)),
      schedule: RefreshSchedule(interval: 6, isSpread: true, drift: 0.2)),
    .rngd("no early refreshes", schedule: RefreshSchedule(interval: 5, startsEarly: false)),
    .rngd("early refreshes of a long interval", schedule: RefreshSchedule(interval: 100)),
  ]

  static let others: [ResumedRun] = [
    .rngd("absolute", damping: 0.01), .rngd("relative", damping: .relative(0.2)), .rngd("none", damping: 0),
    .rngd("adaptive", damping: .adaptive(from: 0.05)), .rngd("adaptive norm", damping: .adaptive(from: .usual)),
    .rngd("adaptive relative", ProjectedMetric(rank: .fixed(6)), damping: .adaptive(from: .relative(0.1))),
    .rngd("no trust region", trustRegion: .off),
    ResumedRun("momentum before") {
      try RNGD(metric: ExactMetric(), learningRate: 0.02, momentum: NaturalMomentum(0.8, isNesterov: true))
    },
    ResumedRun("momentum after, grafted", batchNorm: true) {
      try RNGD(metric: ExactMetric(), learningRate: 0.02, momentum: NaturalMomentum(0.8, .after), graft: .adam)
    },
    ResumedRun("grafted on sgd") { try RNGD(metric: ExactMetric(), learningRate: 0.05, graft: .sgd) },
    .rngd("normalised", trustRegion: TrustRegion(kappa: 1e-3, isNormalized: true)),
    .rngd("pair", pair: 1), .rngd("pair kernel", KernelMetric(windowSamples: 8), pair: 0),
    .rngd("pair projected", ProjectedMetric(rank: .fixed(6)), pair: 1), .rngd("batch norm", batchNorm: true),
    .rngd("batch norm blocks", batchNorm: true, blocks: true),
    .rngd("early stopping", stopping: EarlyStopping(patience: 1, leastGain: 0.1), epochs: 9),
  ]

  /// All files of Optimizers/ that declare an optimizer, and of Metrics/ that declare a metric, have a run here.
  @Test func nothingIsForgotten() throws {
    var (optimizers, metrics): (Set<String>, Set<String>) = ([], [])
    for run in Self.optimizers + Self.metrics {
      let optimizer = try run.optimizer()
      optimizers.insert("\(type(of: optimizer))".replacing("<Float>", with: ""))
      for natural in optimizer.all(RNGD<Float>.self) { metrics.insert("\(type(of: natural.metric))") }
    }
    #expect(
      try declared(in: "Optimizers", as: #/public final class (\w+)<.*>: (?:Wrapping)?Optimizer\b/#) == optimizers)
    #expect(try declared(in: "Metrics", as: #/public struct (\w+): Metric\b/#) == metrics)
  }

  @Test(arguments: optimizers + metrics + schedules + others)
  func goesOnBitByBit(run: ResumedRun) throws {
    let whole = try #require(try run.run(run.trainer()))
    #expect(whole.lines.count > 2 * ResumedRun.stepsPerEpoch)
    // within an epoch, at its last step, behind its report, and again and again
    for (ends, afterReports) in [
      ([3], false), ([8], false), ([8], true), ([11], false), ([1, 2, 5, 8, 10, 13], false), ([7, 16, 19], true),
    ] {
      let folder = "\(path)-\(ends)-\(afterReports)"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let outcome = try run.interrupted(at: ends, afterReports: afterReports, path: folder)
      let (lines, state) = (outcome?.lines ?? [], outcome?.difference(from: whole))
      let line = lines.indices.first { $0 >= whole.lines.count || lines[$0] != whole.lines[$0] }
      #expect(
        outcome == whole,
        "\(run.name), ended at \(ends), \(state ?? "all entries the same"), line \(line ?? -1) of \(lines.count)")
    }
  }

  /// At every step of two intervals, so that the midst of each layer's refresh is among them.
  @Test func inTheMidstOfEachRefresh() throws {
    let run = ResumedRun.rngd(
      "spread", schedule: RefreshSchedule(interval: 12, isSpread: true, startsEarly: false), epochs: 4)
    let whole = try #require(try run.run(run.trainer()))
    var partsUnderWay = 0
    for end in 1...25 {
      let folder = "\(path)-\(end)"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      #expect(try run.interrupted(at: [end], afterReports: false, path: folder) == whole, "ended at step \(end)")
      let entries = try CheckpointFolder(path: folder).newest()?.entries ?? []
      if entries.contains(where: { $0.name.hasSuffix("factors/next") }) { partsUnderWay += 1 }
    }
    #expect(partsUnderWay > 2)
  }

  /// More epochs than were asked for at first.
  @Test func moreEpochs() throws {
    var run = ResumedRun.rngd("exact")
    let whole = try #require(try run.run(run.trainer()))
    run.epochs = 2
    let folder = try CheckpointFolder(path: path)
    let first = try run.trainer()
    try run.run(first) { event in
      if case .epoch = event { try first.write(to: folder) }
      return false
    }
    #expect(folder.steps == [8, 16] && folder.best()?.notes["epoch"] == "2")
    run.epochs = 3
    let second = try run.trainer()
    #expect(try second.resume(from: folder)?.path == folder.file(step: 16))
    #expect(second.epochsDone == 2 && second.stepsDone == 16)
    #expect(try run.run(second) == whole)
  }
}
