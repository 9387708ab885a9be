import Foundation
import Testing

@testable import FisherKit

/// Constants that have been published, and what holds where nobody chooses, as papers and the README have them.
@Suite struct ConstantTests {
  /// Kingma & Ba (2015), Polyak's momentum as it is commonly set, and the rates of the paper's experiment.
  @Test func firstOrder() throws {
    let adam = try Adam<Float>()
    #expect(adam.beta1 == 0.9 && adam.beta2 == 0.999 && adam.epsilon == 1e-8 && adam.learningRate == 0.0005)
    let momentum = try Momentum<Float>()
    #expect(momentum.momentum == 0.9 && momentum.learningRate == 0.01)
    #expect(try SGD<Float>().learningRate == 0.1)
    #expect(adam.decay == .none && momentum.decay == .none)
  }

  /// Where gradients are as small as ε, so that its place in the formula shows: γ m̂/(√v̂ + ε), at the first step
  /// γ g/(|g| + ε).
  @Test func adamsEpsilon() throws {
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try Adam<Double>(learningRate: 0.25)
    try optimizer.prepare(for: model, batchSize: 9)
    _ = model.gradients(labels: labels.span)
    let parameter = model.parameters[0]
    let gradient = 3e-8
    for i in 0..<parameter.neurons {
      for j in 0..<parameter.order { parameter.gradient[i, j] = gradient }
    }
    let before = parameter.value[1, 2]
    _ = try optimizer.step(model)
    let change = before - parameter.value[1, 2]
    // (weights of about 1 leave 1e-15 of a change of 0.19)
    #expect(abs(change - 0.25 * 0.75) < 1e-12, "\(change)")
  }

  /// 0.01 at a mini-batch of 50, with its root below and its power of ¾ above, to 0.1.
  @Test func rateOfTheBatch() throws {
    for (batch, expected) in [
      (1, 0.0014142135623730951), (2, 0.002), (18, 0.006), (50, 0.01), (200, 0.0282842712474619), (800, 0.08),
      (1000, 0.0945741609003176), (2000, 0.1), (100_000, 0.1),
    ] {
      let found = RNGD<Float>.usualLearningRate(batchSize: batch)
      #expect(abs(found - expected) < 1e-15, "batch \(batch): \(found)")
    }
  }

  @Test func batchNormalization() throws {
    let layer = try BatchNormalization<Float>(channels: 1)
    #expect(layer.decay == 0.99 && layer.epsilon == 0.001)
    let model = try Sequential<Float>.perceptron(
      shape: [3, 4, 2], activation: Relu(), batchNormalization: BatchNormalizationOptions(), batchCapacity: 1)
    let inside = try #require(model.layers.compactMap { $0 as? BatchNormalization<Float> }.first)
    #expect(inside.decay == 0.99 && inside.epsilon == 0.001)
  }

  @Test func metrics() throws {
    #expect(PaperMetric().decay == 0.995 && AverageMetric().decay == 0.5)
    #expect(ProjectedMetric().rank == .fixed(64) && AutoMetric.usualRank == 32 && AutoMetric.usualWindowSamples == 500)
    #expect(IterativeMetric().tolerance == 0.03 && IterativeMetric().iterations == 50)
    let windows = [
      KernelMetric().windowSamples, ExactMetric().windowSamples, AverageMetric().windowSamples,
      ProjectedMetric().windowSamples, IterativeMetric().windowSamples, DiagonalMetric().windowSamples,
    ]
    #expect(windows == [100, 8192, 1000, 1000, 1000, 1000])
    #expect(KernelMetric.softmaxOrderLimit == 4096)
    // the paper's λ; by a block's mean diagonal; by its trace and order
    #expect(Damping.usual(.absolute) == 0.005 && Damping.usual(.relative) == .relative(0.2))
    #expect(Damping.usual(.norm) == .norm(0.016) && Damping.usual == .norm(0.016))
  }

  /// Blocks are kept twice up to 32 MB; larger ones once.
  @Test func keptBlocks() {
    #expect(NeuronFactors<Float>.keptLimit == 33_554_432)
    let site = CurvatureSite<Float>(
      Site(name: "layer", neurons: 1, order: 4000, subsystem: NonlinearLayer(Tanh())), batchSize: 1, refreshInterval: 1,
      damping: 0.1)
    // (a block of 32 MB, and lanes that fill its group up)
    #expect(site.blockBytes(order: 4000) > 33_554_432)
    let alone = NeuronFactors<Float>.bytes(for: site, order: 4000, samples: 1)
    #expect(alone < 2 * site.blockBytes(order: 4000))
  }

  /// Half of what is free is what a plan may take.
  @Test func memoryCap() throws {
    let costs = MachineCosts(products: 1, grams: 1, factors: 1, solves: 1, bandwidth: 1, call: 1)
    let free = try #require(availableMemory())
    let cap = try AutoMetric(costs: costs).memoryCap
    // (others take and give memory meanwhile)
    #expect(Double(cap) > 0.35 * Double(free) && Double(cap) < 0.7 * Double(free), "\(cap) of \(free)")
  }

  /// Left alone, a mini-batch's divergence may be 4e-4 nats a sample and 0.08 for a model.
  @Test func trustRegion() {
    #expect(TrustRegion.perSample == 0.0004 && TrustRegion.perModel == 0.08 && TrustRegion.leastShare == 0.03)
    let averaged = TrustRegion.usual.kappa(batchSize: 500, parameters: 2, momentum: 0.9)
    #expect(abs(averaged - 0.01) < 1e-15)
    #expect(TrustRegion.usual.kappa(batchSize: 199, parameters: 1) == 199 * 0.0004)
    #expect(TrustRegion.usual.kappa(batchSize: 201, parameters: 1) == 0.08)
    #expect(TrustRegion.usual.kappa(batchSize: 1000, parameters: 8) == 0.01)
  }
}
