import FisherKit
import Foundation
import Testing

/// Every flag of `fisher train` arrives: the tool's losses are those of the library with the same settings.
@Suite struct FlagTests {
  struct Case: CustomStringConvertible, Sendable {
    var flags: String
    var seed: UInt64 = 0
    var batch = 50
    var validation = 2000
    var forward: any Activation = Relu()
    var metric: any Activation = Relu().metricForm
    var pairs: [Int] = []
    var optimizer: @Sendable () throws -> any Optimizer<Float> = {
      try RNGD(metric: ExactMetric(), refreshInterval: 100, decay: .l2(1e-3))
    }

    /// The tool's own default depends on the machine's speed.
    var allFlags: [String] {
      let given = flags.split(separator: " ").map(String.init)
      return given.contains("--metric") || given.contains("--optimizer") ? given : given + ["--metric", "exact"]
    }

    var description: String { flags }
  }

  static func cases() throws -> [Case] {
    try [
      Case(flags: ""),
      Case(flags: "--activation softplus", forward: Softplus(), metric: Softplus()),
      Case(flags: "--activation leaky-relu", forward: LeakyRelu(), metric: LeakyRelu(iota: 0.01)),
      Case(flags: "--activation leaky-relu --iota 0.2", forward: LeakyRelu(iota: 0.2), metric: LeakyRelu(iota: 0.2)),
      Case(flags: "--activation gelu", forward: Gelu(), metric: Gelu()),
      Case(flags: "--activation silu", forward: Silu(), metric: Silu()),
      Case(
        flags: "--seed 3 --l2 0.02 --refresh 20 --damping 0.1 --learning-rate 0.03", seed: 3,
        optimizer: {
          try RNGD(metric: ExactMetric(), learningRate: 0.03, damping: 0.1, refreshInterval: 20, decay: .l2(0.02))
        }),
      Case(
        flags: "--omega 0.3 --iota 0.2 --batch 40", batch: 40, forward: Relu(iota: 0.2),
        metric: Relu(iota: 0.2, omega: 0.3)),
      Case(
        flags: "--pair 1 --pair 2 --activation tanh", forward: Tanh(), metric: Tanh(), pairs: [0, 1],
        optimizer: { try RNGD(metric: ExactMetric(), decay: .l2(1e-3)) }),
      Case(
        flags: "--metric shared --activation elu --alpha 0.4", forward: Elu(alpha: 0.4), metric: Elu(alpha: 0.4),
        optimizer: {
          try RNGD(metric: SharedMetric(), decay: .l2(1e-3))
        }),
      Case(
        flags: "--metric exact --window-samples 700",
        optimizer: { try RNGD(metric: ExactMetric(windowSamples: 700), decay: .l2(1e-3)) }),
      Case(
        flags: "--metric projected --rank 12 --window-samples 300",
        optimizer: {
          try RNGD(metric: ProjectedMetric(rank: .fixed(12), windowSamples: 300), decay: .l2(1e-3))
        }),
      Case(
        flags: "--metric projected --rank 0.8",
        optimizer: {
          try RNGD(metric: ProjectedMetric(rank: .share(0.8, atMost: 128)), decay: .l2(1e-3))
        }),
      Case(
        flags: "--metric exact --spread-refresh --refresh 30",
        optimizer: {
          try RNGD(
            metric: ExactMetric(), schedule: RefreshSchedule(interval: 30, isSpread: true), decay: .l2(1e-3))
        }),
      Case(
        flags: "--metric exact --drift 0.02 --refresh 20",
        optimizer: {
          try RNGD(
            metric: ExactMetric(), schedule: RefreshSchedule(interval: 20, drift: 0.02), decay: .l2(1e-3))
        }),
      Case(
        flags: "--damping-rule relative --damping 0.3 --learning-rate 0.02",
        optimizer: { try RNGD(metric: ExactMetric(), learningRate: 0.02, damping: .relative(0.3), decay: .l2(1e-3)) }),
      Case(
        flags: "--damping-rule absolute",
        optimizer: { try RNGD(metric: ExactMetric(), damping: 0.005, decay: .l2(1e-3)) }),
      Case(
        flags: "--damping-rule adaptive --damping 0.2",
        optimizer: { try RNGD(metric: ExactMetric(), damping: .adaptive(from: 0.2), decay: .l2(1e-3)) }),
      Case(
        flags: "--damping-rule norm --damping 0.03",
        optimizer: { try RNGD(metric: ExactMetric(), damping: .norm(0.03), decay: .l2(1e-3)) }),
      Case(
        flags: "--damping-rule adaptive-relative",
        optimizer: { try RNGD(metric: ExactMetric(), damping: .adaptive(from: .relative(0.2)), decay: .l2(1e-3)) }),
      Case(
        flags: "--damping-rule adaptive-norm",
        optimizer: { try RNGD(metric: ExactMetric(), damping: .adaptive(from: .usual), decay: .l2(1e-3)) }),
      Case(
        flags: "--trust-region 3e-4",
        optimizer: { try RNGD(metric: ExactMetric(), trustRegion: TrustRegion(kappa: 3e-4), decay: .l2(1e-3)) }),
      Case(
        flags: "--trust-region 0 --no-early-refreshes",
        optimizer: {
          try RNGD(
            metric: ExactMetric(), schedule: RefreshSchedule(startsEarly: false), trustRegion: .off, decay: .l2(1e-3))
        }),
      Case(
        flags: "--normalize-steps",
        optimizer: { try RNGD(metric: ExactMetric(), trustRegion: TrustRegion(isNormalized: true), decay: .l2(1e-3)) }),
      Case(flags: "--metric kernel", optimizer: { try RNGD(metric: KernelMetric(), decay: .l2(1e-3)) }),
      Case(flags: "--metric iterative", optimizer: { try RNGD(metric: IterativeMetric(), decay: .l2(1e-3)) }),
      Case(flags: "--metric diagonal", optimizer: { try RNGD(metric: DiagonalMetric(), decay: .l2(1e-3)) }),
      Case(
        flags: "--metric paper --activation tanh --validation 500", validation: 500, forward: Tanh(), metric: Tanh(),
        optimizer: { try RNGD(metric: PaperMetric(), decay: .l2(1e-3)) }
      ),
      Case(
        flags: "--activation sigm --optimizer adam", forward: Sigm(), metric: Sigm(),
        optimizer: { try Adam(learningRate: 5e-4, decay: .l2(1e-3)) }),
      Case(flags: "--optimizer adamw", optimizer: { try Adam(learningRate: 5e-4, decay: .decoupled(0.01)) }),
      Case(
        flags:
          "--optimizer muon --learning-rate 0.03 --momentum 0.9 --no-nesterov --muon-scale rms --muon-precision full "
          + "--rest-learning-rate 0.001 --l2 0 --weight-decay 0.02 --decay-biases",
        optimizer: {
          try Muon(
            learningRate: 0.03, momentum: 0.9, isNesterov: false, scale: .rootMeanSquare, restLearningRate: 0.001,
            decay: WeightDecay(decoupled: 0.02, includesBiases: true))
        }),
      Case(
        flags: "--optimizer sgd --momentum 0.8 --nesterov",
        optimizer: { try Momentum(learningRate: 0.1, momentum: 0.8, isNesterov: true, decay: .l2(1e-3)) }),
      Case(
        flags: "--metric exact --momentum 0.9 --nesterov --schedule warm-up:5%+cosine --damping-schedule linear:to=0.5 "
          + "--trust-region-schedule steps:at=50%:by=0.5 --momentum-schedule linear:from=0.8:to=1",
        optimizer: {
          try ScheduledOptimizer(
            RNGD(metric: ExactMetric(), momentum: NaturalMomentum(0.9, isNesterov: true), decay: .l2(1e-3)),
            [
              .learningRate: WarmUp().over(.share(0.05)).then(Cosine()), .damping: LinearSchedule(to: 0.5),
              .trustRegion: Staircase(at: [.share(0.5)], by: 0.5), .momentum: LinearSchedule(from: 0.8, to: 1),
            ])
        }),
      Case(
        flags: "--metric exact --momentum 0.5 --momentum-place after --graft adam --learning-rate 0.001",
        optimizer: {
          try RNGD(
            metric: ExactMetric(), learningRate: 0.001, momentum: NaturalMomentum(0.5, .after), graft: .adam,
            decay: .l2(1e-3))
        }),
      Case(
        flags: "--optimizer sgd --clip 0.5 --clip-parameters 0.3 --accumulate 3 --average-weights 0.9",
        optimizer: {
          let clipped = try ClippedGradients(
            SGD<Float>(learningRate: 0.1, decay: .l2(1e-3)), norm: 0.5, parameterNorm: 0.3)
          return try AccumulatedGradients(AveragedWeights(clipped, decay: 0.9), over: 3)
        }),
      Case(
        flags: "--optimizer adam --momentum 0 --schedule-free 0.8 --accumulate 2",
        optimizer: {
          try AccumulatedGradients(ScheduleFree(Adam(beta1: 0, decay: .l2(1e-3)), beta: 0.8), over: 2)
        }),
      Case(flags: "--optimizer momentum", optimizer: { try Momentum(learningRate: 0.01, decay: .l2(1e-3)) }),
      Case(
        flags: "--optimizer sgd --activation linear", forward: Linear(), metric: Linear(),
        optimizer: { try SGD(learningRate: 0.1, decay: .l2(1e-3)) }),
    ]
  }

  @Test(arguments: try cases()) func losses(of settings: Case) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("log")
    let flags = settings.allFlags
    let result = try Tool.run(["train", "--shape", "64,9,7,10", "--epochs", "1", "--quiet", "--log", log] + flags)
    #expect(result.status == 0 && result.output == "" && result.errors == "", "\(result)")
    let found = try LogLines(path: log).numbers

    let data = try SyntheticData.make(validation: settings.validation, seed: settings.seed)
    let model = try Sequential<Float>.perceptron(
      shape: [64, 9, 7, 10], activation: settings.forward, metricActivation: settings.metric, batchCapacity: 1000,
      seed: settings.seed)
    for index in settings.pairs { try model.pairLayers(at: index) }
    let trainer = try Trainer(
      model: model, optimizer: try settings.optimizer(), data: data, batchSize: settings.batch, epochs: 1,
      seed: settings.seed)
    var expected: [EpochReport] = []
    let test = try trainer.run(epochs: 1) { if case .epoch(let report) = $0 { expected.append(report) } }
    /// (Foundation's JSON numbers are off in their last place.)
    func equal(_ a: Double?, _ b: Double?) -> Bool { a.flatMap { a in b.map { abs(a - $0) < 1e-12 } } ?? false }
    #expect(found.count == 2)
    #expect(found[0]["step"] == Double(expected[0].step))
    #expect(equal(found[0]["train_loss"], expected[0].training.loss))
    #expect(equal(found[0]["train_error"], expected[0].training.error))
    #expect(equal(found[0]["validation_loss"], expected[0].validation.loss))
    #expect(equal(found[0]["validation_accuracy"], expected[0].validation.accuracy))
    #expect(equal(found[1]["test_loss"], test.loss) && equal(found[1]["test_accuracy"], test.accuracy))
  }
}
