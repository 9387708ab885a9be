import ArgumentParser
import FisherKit

/// The optimizer and its settings.
struct OptimizerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("\(OptimizerName.all).", valueName: "name")) var optimizer = OptimizerName.rngd
  @Option(
    name: [.long, .customLong("lr")], parsing: .unconditional,
    help: ArgumentHelp(
      "γ (default: \(OptimizerName.usualLearningRates)).", valueName: "γ"))
  var learningRate: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Coupled L2, ½·l2·‖W‖², a part of the loss (default: \(short(usualL2)), adamw 0).", valueName: "l2"))
  var l2: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Decoupled decay: weights lose γλ of themselves at each step (default: 0, adamw \(short(usualWeightDecay))).",
      valueName: "λ"))
  var weightDecay: Double?
  @Flag(help: "Let biases decay as weights do.") var decayBiases = false
  @Flag(help: "Let the scales of normalisations decay as weights do.") var decayNormalizations = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What is left of earlier gradients at each step, of sgd too (default: momentum and adam 0.9, muon 0.95, rngd 0).",
      valueName: "β"))
  var momentum: Double?
  @Flag(inversion: .prefixedNo, help: "Nesterov's momentum (default: of muon alone).") var nesterov: Bool?
  @Option(
    help: ArgumentHelp(
      "What muon's steps go by: spectral, √max(1, outputs/inputs), or rms, 0.2·√max(outputs, inputs) (default: spectral).",
      valueName: "name"))
  var muonScale: Muon<Float>.Scale?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "γ of muon for biases and normalisations, which take AdamW's steps (default: "
        + "\(short(Muon<Float>.usualRestLearningRate))).", valueName: "γ"))
  var restLearningRate: Double?
  @Option(
    help: ArgumentHelp(
      "What muon's products multiply: full, or bfloat16, quicker on CPUs with AVX512_BF16 (default: full).",
      valueName: "name"))
  var muonPrecision: MuonPrecision?
  @OptionGroup var natural: NaturalOptions
  @OptionGroup var schedules: ScheduleOptions

  static let usualL2 = 1e-3
  static let usualWeightDecay = 0.01

  var pair: [Int] { natural.pair }
  var metric: MetricName? { natural.metric }

  func validate() throws {
    if optimizer != .rngd, let flag = natural.given.first {
      throw ValidationError("--\(flag): expected --optimizer rngd, found \(optimizer)")
    }
    if optimizer != .muon {
      let given = [
        ("muon-scale", muonScale != nil), ("muon-precision", muonPrecision != nil),
        ("rest-learning-rate", restLearningRate != nil),
      ]
      for (flag, isGiven) in given where isGiven {
        throw ValidationError("--\(flag): expected --optimizer muon, found \(optimizer)")
      }
    }
    if nesterov != nil, optimizer == .adam || optimizer == .adamw || (optimizer == .rngd && momentum == nil) {
      throw ValidationError(
        "--\(nesterov == true ? "" : "no-")nesterov: expected --optimizer momentum, sgd or muon, or rngd with --momentum, found "
          + "\(optimizer)")
    }
    if muonPrecision == .bfloat16, !MuonPrecision.isBfloat16Supported {
      throw ValidationError("--muon-precision: expected a CPU with AVX512_BF16 for bfloat16, found one without")
    }
    try refusing { _ = try make(batch: RunOptions.usualBatch, costs: NaturalOptions.anyCosts) }
    if optimizer == .rngd { try natural.check() }
  }

  func rate(batch: Int) -> Double { learningRate ?? optimizer.usualLearningRate(batch: batch) }

  var decay: WeightDecay {
    WeightDecay(
      coupled: l2 ?? (optimizer == .adamw ? 0 : Self.usualL2),
      decoupled: weightDecay ?? (optimizer == .adamw ? Self.usualWeightDecay : 0), includesBiases: decayBiases,
      includesNormalizations: decayNormalizations)
  }

  /// - Parameters:
  ///   - costs: what auto plans by, ahead of a file.
  ///   - memoryCap: where no flag says one.
  func make(batch: Int, costs: MachineCosts? = nil, memoryCap: Int? = nil) throws -> any Optimizer<Float> {
    try schedules.wrap(try makeAlone(batch: batch, costs: costs, memoryCap: memoryCap))
  }

  private func makeAlone(batch: Int, costs: MachineCosts?, memoryCap: Int?) throws -> any Optimizer<Float> {
    let rate = rate(batch: batch)
    switch optimizer {
    case .sgd where (momentum ?? 0) == 0 && nesterov != true: return try SGD(learningRate: rate, decay: decay)
    case .sgd, .momentum:
      return try Momentum(
        learningRate: rate, momentum: momentum ?? 0.9, isNesterov: nesterov ?? false, decay: decay)
    case .adam, .adamw: return try Adam(learningRate: rate, beta1: momentum ?? 0.9, decay: decay)
    case .muon:
      return try Muon(
        learningRate: rate, momentum: momentum ?? 0.95, isNesterov: nesterov ?? true, scale: muonScale ?? .spectral,
        restLearningRate: restLearningRate ?? Muon<Float>.usualRestLearningRate, decay: decay,
        precision: muonPrecision ?? .full)
    case .rngd:
      return try natural.make(
        rate: rate, momentum: momentum ?? 0, isNesterov: nesterov ?? false, decay: decay, costs: costs,
        memoryCap: memoryCap)
    }
  }
}

extension Muon.Scale: ExpressibleByArgument {}
extension MuonPrecision: ExpressibleByArgument {}
