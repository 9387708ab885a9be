import Foundation
import Testing

@testable import FisherKit

/// What a trainer does not go on from, and what it cannot write.
@Suite final class ResumeRefusalTests {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("refused-\(UUID().uuidString)").path

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A checkpoint after some steps.
  private func write(_ run: ResumedRun) throws -> CheckpointFile {
    let (folder, trainer) = (try CheckpointFolder(path: path), try run.trainer())
    _ = try run.run(trainer) { event in
      guard case .step = event, trainer.stepsDone == 5 else { return false }
      try trainer.write(to: folder)
      return true
    }
    return try #require(try folder.newest())
  }

  /// Each setting by itself, by its name and with both of its values; the trainer stays as it is.
  @Test func otherSettings() throws {
    func scheduled(_ schedule: any Schedule, epochs: Int = 3) -> ResumedRun {
      ResumedRun("", epochs: epochs) { try ScheduledOptimizer(Adam(learningRate: 0.01), [.learningRate: schedule]) }
    }
    func adam(_ beta2: Double = 0.999, l2: Double = 0, epsilon: Double = 1e-8) -> ResumedRun {
      ResumedRun("adam") { try Adam(learningRate: 0.01, beta2: beta2, epsilon: epsilon, decay: .l2(l2)) }
    }
    func momentum(_ momentum: Double) -> ResumedRun {
      ResumedRun("momentum") { try Momentum(learningRate: 0.01, momentum: momentum) }
    }
    func projected(_ rank: ProjectedMetric.Rank) -> ResumedRun { .rngd("", ProjectedMetric(rank: rank)) }
    var seed = adam()
    seed.seed = 4
    let cases: [(ResumedRun, ResumedRun, name: String, ours: String, theirs: String)] = [
      (adam(), adam(0.99), "beta2", "0.99", "0.999"), (adam(), adam(l2: 1), "decay", "L2 1.0", "none"),
      (adam(), adam(epsilon: 1e-6), "epsilon", "1e-06", "1e-08"), (adam(), seed, "seed", "4", "3"),
      (momentum(0.9), momentum(0.8), "momentum", "0.8", "0.9"),
      (momentum(0.9), adam(), "optimizer", "adam", "momentum"),
      (
        .rngd(""), .rngd("", ExactMetric(windowSamples: 70)), "metric", "ExactMetric(windowSamples: 70)",
        "ExactMetric(windowSamples: 8192)"
      ),
      (
        projected(.fixed(4)), projected(.share(0.5, atMost: 4)), "metric",
        "ProjectedMetric(rank: share((0.5, atMost: 4)), windowSamples: 1000)",
        "ProjectedMetric(rank: fixed(4), windowSamples: 1000)"
      ),
      (.rngd(""), .rngd("", damping: 0.1), "damping", "0.1", "0.016 by norm"),
      (.rngd("", damping: 0.1), .rngd("", damping: .adaptive(from: 0.1)), "damping", "adaptive from 0.1", "0.1"),
      (.rngd(""), .rngd("", schedule: RefreshSchedule(interval: 6)), "refresh", "6 steps", "5 steps"),
      (
        .rngd(""), .rngd("", schedule: RefreshSchedule(interval: 5, startsEarly: false)), "early refreshes", "false",
        "true"
      ),
      (.rngd(""), .rngd("", trustRegion: .off), "trust region", "off", "usual"),
      (
        scheduled(Cosine()), scheduled(LinearSchedule()), "learning rate schedule", "linear of 24 steps",
        "cosine of 24 steps"
      ),
      (
        scheduled(Cosine()), scheduled(Cosine(), epochs: 4), "learning rate schedule", "cosine of 32 steps",
        "cosine of 24 steps"
      ),
      (
        .rngd(""), .rngd("", stopping: EarlyStopping(patience: 2)), "early stopping",
        "EarlyStopping(watched: loss, patience: 2, leastGain: 0.0)", "none"
      ),
    ]
    for (one, other, name, ours, theirs) in cases {
      defer { try? FileManager.default.removeItem(atPath: path) }
      let checkpoint = try write(one)
      let trainer = try other.trainer()
      let before = try SavedState(of: trainer)
      let error = failure(of: { try trainer.resume(from: checkpoint) }) as? DataError
      #expect(
        error
          == DataError("\(checkpoint.path): \(name)", expected: "\(ours), as this run has it", found: theirs))
      #expect(try SavedState(of: trainer) == before)
    }
  }

  /// Every setting of a run is among those that are compared, and one of an array of a user's own too.
  @Test func whatIsCompared() throws {
    let names = Set(try ResumedRun.rngd("").trainer().configuration.settings.map(\.name))
    #expect(
      names.isSuperset(of: [
        "layer 1", "parameter 1, layer 1", "optimizer", "learning rate", "metric", "damping", "refresh", "decay",
        "momentum", "batch", "seed", "data", "loss", "measures", "precision", "threads", "CPU", "products",
        "plan 1, layer 1",
      ]))
    struct Own {
      var list = [1, 2], inner: Double? = 0.1, kind = EarlyStopping.Watched.measure("m", isBetterLarger: true)
    }
    #expect(settingText(Own()) == "Own(list: (1, 2), inner: 0.1, kind: measure((m, isBetterLarger: true)))")
  }

  /// What a layer was made with is compared too, whatever layer it is in; how far it has come is not.
  @Test func otherLayers() throws {
    func trainer(_ layer: (Int) throws -> any Layer<Float>) throws -> Trainer<Float> {
      let data = try SyntheticData.make(training: 60, validation: 20, test: 20, seed: 5)
      var generator = SeededGenerator(seed: 1, stream: .initialisation)
      let last = try Dense<Float>(
        inputs: data.width, outputs: data.classes, activation: Linear(), subsystem: SoftmaxLayer(), name: "layer 1",
        using: &generator)
      let model = try Sequential<Float>([Residual(try layer(data.width)), last], batchCapacity: 20)
      return try Trainer(model: model, optimizer: try SGD(), data: data, batchSize: 20)
    }
    func dropout(_ rate: Double, seed: UInt64 = 0) throws -> Trainer<Float> {
      try trainer { try Dropout(channels: $0, rate: rate, seed: seed) }
    }
    func normalisation(_ decay: Double) throws -> Trainer<Float> {
      try trainer { try BatchNormalization(channels: $0, decay: decay) }
    }
    let cases: [(ours: Trainer<Float>, theirs: Trainer<Float>, difference: [String])] = try [
      (dropout(0.1), dropout(0.2), ["dropout, rate 0.1, seed 0", "dropout, rate 0.2, seed 0"]),
      (dropout(0.1), dropout(0.1, seed: 7), ["dropout, rate 0.1, seed 0", "dropout, rate 0.1, seed 7"]),
      (
        normalisation(0.9), normalisation(0.8),
        ["batch normalisation, decay 0.9, epsilon 0.001", "batch normalisation, decay 0.8, epsilon 0.001"]
      ), (dropout(0.1), dropout(0.1), []),
    ]
    for (ours, theirs, difference) in cases {
      try theirs.run(epochs: 1)
      let found = ours.configuration.difference(from: theirs.configuration)
      #expect(found?.name == (difference.isEmpty ? nil : "layer 1"))
      for (text, words) in zip([found?.ours, found?.theirs], difference) {
        #expect(text?.hasPrefix("residual: \(words), ") == true, "\(text ?? "none")")
      }
    }
  }

  /// The same data elsewhere are the same data; one label that is another makes them others.
  @Test func otherData() throws {
    func split(_ name: String, label: Int32) throws -> DataSplit {
      let features = Dataset.Features.bytes((0..<60).map { UInt8($0) }, scale: 1 / 255)
      let labels: [Int32] = (0..<20).map { $0 % 2 }
      let samples = Dataset(features: features, labels: labels.dropLast() + [label], width: 3, classes: 2)
      return try DataSplit(name: name, samples: samples, validationCount: 5, test: samples)
    }
    func trainer(_ data: DataSplit) throws -> Trainer<Float> {
      let model = try Sequential<Float>.perceptron(shape: [3, 4, 2], activation: Tanh(), batchCapacity: 20)
      return try Trainer(model: model, optimizer: try SGD(), data: data, batchSize: 5)
    }
    let folder = try CheckpointFolder(path: path)
    try trainer(try split("here", label: 1)).write(to: folder)
    #expect(try trainer(try split("there", label: 1)).resume(from: folder) != nil)
    let error = failure(of: { try trainer(try split("there", label: 0)).resume(from: folder) }) as? DataError
    #expect(error?.place.hasSuffix("step-000000000000.checkpoint: data") == true)
    #expect(error?.expected.hasSuffix("(there)") == true && error?.found.hasSuffix("(here)") == true, "\(error!)")
  }

  @Test func ofSomethingElse() throws {
    final class Counter: State {
      var count = 1
      func visit(_ visitor: StateVisitor) throws { try visitor.visit("count", &count) }
    }
    let folder = try CheckpointFolder(path: path)
    try folder.write(Counter(), step: 1)
    let trainer = try ResumedRun.rngd("").trainer()
    let error = failure(of: { try trainer.resume(from: folder) }) as? DataError
    #expect(error?.expected == "a checkpoint of a training run" && error?.found == "one of something else")
    try folder.write(Counter(), step: 2, notes: ["configuration": "{}"])
    let empty = failure(of: { try trainer.resume(from: folder) }) as? DataError
    #expect(empty?.expected == "the configuration of a training run", "\(String(describing: empty))")
  }

  @Test func aLock() throws {
    let folder = try CheckpointFolder(path: path)
    var lock: CheckpointLock? = try folder.lock()
    let error = failure(of: { _ = try CheckpointFolder(path: self.path).lock() }) as? OutputError
    #expect(error?.cause == .unusablePath && error?.place == path && lock != nil)
    lock = nil
    #expect(throws: Never.self) { try folder.lock() }
  }

  /// A layer of a user's own that does not say what it holds: dense, but for that.
  private final class Silent: Layer {
    private let dense: Dense<Float>
    init(_ dense: Dense<Float>) { self.dense = dense }
    var inputExtent: Extent { dense.inputExtent }
    var outputExtent: Extent { dense.outputExtent }
    var parameters: [Parameter<Float>] { dense.parameters }
    var bytes: Int { dense.bytes }
    func prepare(batchCapacity: Int) throws(FisherError) { try dense.prepare(batchCapacity: batchCapacity) }
    func forward(_ input: borrowing Matrix<Float>, into output: inout Matrix<Float>) {
      dense.forward(input, into: &output)
    }
    func backward(_ delta: inout Matrix<Float>, input: borrowing Matrix<Float>) { dense.backward(&delta, input: input) }
    func propagate(_ delta: borrowing Matrix<Float>, into inputDelta: inout Matrix<Float>) {
      dense.propagate(delta, into: &inputDelta)
    }
    func observe(input: borrowing Matrix<Float>, _ body: ObservationBody<Float>) throws(FisherError) {
      try dense.observe(input: input, body)
    }
  }

  @Test func aLayerThatDoesNotSayWhatItHolds() throws {
    var generator = SeededGenerator(seed: 1, stream: .initialisation)
    let data = try SyntheticData.make(training: 60, validation: 20, test: 20, seed: 5)
    let layers: [any Layer<Float>] = [
      try Dense(
        inputs: data.width, outputs: 6, activation: Tanh(), subsystem: NonlinearLayer(Tanh()), name: "layer 1",
        using: &generator),
      Silent(
        try Dense(
          inputs: 6, outputs: data.classes, activation: Linear(), subsystem: SoftmaxLayer(), name: "layer 2",
          using: &generator)),
    ]
    let trainer = try Trainer(
      model: try Sequential(layers, batchCapacity: 20), optimizer: try SGD(), data: data, batchSize: 20)
    try trainer.run(epochs: 1)
    let folder = try CheckpointFolder(path: path)
    let error = failure(of: { try trainer.write(to: folder) }) as? StateError
    #expect(error?.place == "model/1" && error?.found == "Silent, which has none", "\(String(describing: error))")
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
  }
}
