import Testing

@testable import FisherKit

/// Where the planner's choice turns over, and what estimates count, by costs under which a flop of a step takes a second and
/// all else nothing.
@Suite struct AutoChoiceTests {
  private let costs = MachineCosts(
    products: 1, grams: .greatestFiniteMagnitude, factors: .greatestFiniteMagnitude, solves: 1,
    bandwidth: .greatestFiniteMagnitude, call: 0)

  private func site(order: Int, neurons: Int = 10, interval: Int = 1 << 40) -> CurvatureSite<Float> {
    CurvatureSite<Float>(
      Site(name: "layer", neurons: neurons, order: order, subsystem: NonlinearLayer(Tanh())), batchSize: 10,
      refreshInterval: interval, damping: 0.1)
  }

  private func isExact(rank: Int, cap: Int = 1 << 40) throws -> Bool {
    let metric = try AutoMetric(memoryCap: cap, rank: rank, windowSamples: 20, costs: costs)
    return metric.estimate(for: site(order: 100)).summary.hasPrefix("exact")
  }

  /// An exact step is 2·100² flops a neuron, one of rank r 2r² + 4·100·r: the exact one has to be cheaper by a quarter.
  @Test func cheaperByAQuarter() throws {
    for rank in [8, 32, 40, 48, 50, 52, 53, 54, 56, 64, 90] {
      let (exact, projected) = (20_000, 2 * rank * rank + 400 * rank)
      #expect(try isExact(rank: rank) == (4 * exact <= 3 * projected), "rank \(rank)")
    }
    #expect(try !isExact(rank: 48) && isExact(rank: 56))
  }

  /// An exact matrix may take a quarter of the cap.
  @Test func quarterOfTheCap() throws {
    let bytes = ExactMetric(windowSamples: 20).estimate(for: site(order: 100)).bytes
    #expect(try isExact(rank: 90, cap: 4 * bytes) && !isExact(rank: 90, cap: 4 * bytes - 4))
  }

  /// Of m blocks of order d over n samples: sums of products for the half of each block that is stored, a third of d³ for a
  /// factor, all of it for an inverse, and a product or two triangular solves a step.
  @Test(arguments: [(5, 7, 30), (40, 3, 20)]) func flops(order: Int, neurons: Int, samples: Int) {
    let site = site(order: order, neurons: neurons)
    let (d, m, n) = (Double(order), Double(neurons), Double(samples))
    for isInverse in [false, true] {
      let estimate = site.blocksEstimate(order: order, samples: samples, isInverse: isInverse)
      #expect(estimate.refresh.grams == 2 * m * n * (d * (d + 1) / 2))
      let factors = m * d * d * d * (isInverse ? 1 : 1.0 / 3)
      #expect(abs(estimate.refresh.factors - factors) < 1e-9 * factors && estimate.refresh.products == 0)
      #expect(estimate.step.solves == 2 * m * d * d && estimate.step.calls == 1 && estimate.refresh.calls == 3)
      // A factor is read twice in a step, an inverse once; blocks are written, read and written in a refresh.
      let held = Double(site.blockBytes(order: order))
      #expect(estimate.step.bytes == (isInverse ? held : 2 * held) && estimate.refresh.bytes == 3 * held)
    }
  }
}
