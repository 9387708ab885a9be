import FisherKitTestSupport
import Foundation

@testable import FisherKit

/// A small network trained while faults are put into it.
struct FaultRun {
  /// What went on, by remedy.
  private(set) var incidents: [Incident.Remedy: Int] = [:]
  private(set) var injected = 0
  /// Whether it stopped because the weights had gone back as often as they may.
  private(set) var hasStopped = false
  private(set) var loss = Double.nan
  private(set) var hasFiniteWeights = false

  /// Every metric that RNGD has, and what a layer makes of it: neurons and a softmax, but for `linear` and `pair`.
  static let metrics = [
    "auto", "exact", "exact, linear", "exact, pair", "projected", "projected by share", "kernel", "iterative",
    "diagonal", "shared", "average", "paper", "batch normalisation",
  ]

  static func metric(_ name: String) throws -> any Metric {
    let costs = MachineCosts(products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)
    return switch name {
    case "auto": try AutoMetric(memoryCap: 1 << 28, rank: 4, windowSamples: 40, costs: costs)
    case "projected": ProjectedMetric(rank: .fixed(3))
    case "projected by share": ProjectedMetric(rank: .share(0.9, atMost: 4))
    case "kernel": KernelMetric(windowSamples: 12)
    case "iterative": IterativeMetric()
    case "diagonal": DiagonalMetric()
    case "shared": SharedMetric()
    case "average": AverageMetric()
    case "paper": PaperMetric()
    default: ExactMetric()
    }
  }

  /// Three classes around centres of their own, 6 features.
  static func data(seed: UInt64, features: ((Int, inout [Double]) -> Void)? = nil) throws -> DataSplit {
    var generator = SplitMix64(seed: seed)
    func set(_ count: Int) -> Dataset {
      var (numbers, labels): ([Float], [Int32]) = ([], [])
      for sample in 0..<count {
        let label = sample % 3
        var x = generator.normal(6)
        x[label] += 2
        features?(sample, &x)
        numbers += x.map { Float($0) }
        labels.append(Int32(label))
      }
      return Dataset(features: .floats(numbers), labels: labels, width: 6, classes: 3)
    }
    return try DataSplit(name: "test", samples: set(90), validationCount: 30, test: set(15))
  }

  /// - Parameters:
  ///   - rate: instead of the usual learning rate; `epochs`: of six steps each.
  init(
    metric name: String, plan: FaultPlan, data: DataSplit? = nil, rate: Double = 0.05, epochs: Int = 15,
    recovery: Recovery = Recovery(attempts: 60)
  ) throws {
    let isLinear = name == "exact, linear"
    let nonlinear: any Subsystem = plan.kind == .nu ? FaultyNu(plan: plan) as any Subsystem : NonlinearLayer(Tanh())
    let hidden: any Subsystem = isLinear ? LinearLayer() : nonlinear
    var generator = SeededGenerator(seed: 3, stream: .initialisation)
    var layers: [any Layer<Float>] = []
    if plan.kind == .inputs { layers.append(FaultyInputs(6, plan)) }
    for (index, width) in [(6, 5), (5, 4), (4, 3)].enumerated() {
      layers.append(
        try Dense<Float>(
          inputs: width.0, outputs: width.1, activation: index == 2 || isLinear ? Linear() : Tanh(),
          subsystem: index == 2 ? SoftmaxLayer() : hidden, name: "layer \(index + 1)", using: &generator))
      if name == "batch normalisation", index < 2 {
        layers.append(
          try BatchNormalization<Float>(channels: width.1, subsystem: BatchNorm(), name: "norm \(index + 1)"))
      }
    }
    let model = try Sequential(layers, batchCapacity: 30)
    if name == "exact, pair" { try model.pairLayers(at: plan.kind == .inputs ? 2 : 1) }
    var metric = try Self.metric(name)
    if plan.kind == .directions, name != "exact, pair" { metric = FaultyMetric(inner: metric, plan: plan) }
    let optimizer = try RNGD<Float>(metric: metric, learningRate: rate, refreshInterval: 2, decay: .l2(1e-3))
    let trainer = try Trainer(
      model: model, optimizer: FaultyOptimizer(optimizer, plan), data: try data ?? Self.data(seed: 5), batchSize: 10,
      recovery: recovery)
    var found: [Incident.Remedy: Int] = [:]
    var loss = Double.nan
    do {
      try trainer.run(epochs: epochs) { event in
        if case .survived(let incident) = event { found[incident.remedy, default: 0] += 1 }
        if case .epoch(let report) = event { loss = report.training.loss }
      }
    } catch FisherError.diverged {
      hasStopped = true
    }
    (incidents, injected, self.loss) = (found, plan.injected, loss)
    hasFiniteWeights = model.hasFiniteWeights
  }

  var isAccountedFor: Bool { hasStopped || hasFiniteWeights && loss.isFinite }
}

extension FaultRun: CustomStringConvertible {
  var description: String {
    let remedies = Incident.Remedy.allCases.compactMap { remedy in incidents[remedy].map { "\(remedy.rawValue) \($0)" }
    }
    return "\(injected) faults: \(remedies.joined(separator: ", ")); loss \(loss)\(hasStopped ? ", stopped" : "")"
  }
}
