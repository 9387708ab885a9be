import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKitTool

/// Between which learning rates a tuner looks.
@Suite struct RangeTestTests {
  private func curve(_ loss: (Double) -> Double) -> RangeCurve {
    let rates = (0..<RangeCurve.steps).map { RangeCurve.rate($0, usual: 0.01) }
    return RangeCurve(rates: rates, losses: rates.map(loss), start: loss(0))
  }

  /// A loss that falls from 0.001 on and explodes at 1: rates from about there to below that.
  @Test func fallAndExplosion() throws {
    let interval = try #require(curve { $0 < 1 ? 1 + 1 / (1 + pow($0 / 0.01, 2)) : 2 + $0 * 10 }.interval)
    #expect(interval.lowerBound >= 0.001 && interval.lowerBound <= 0.005, "\(interval)")
    #expect(interval.upperBound >= 0.05 && interval.upperBound <= 1, "\(interval)")
  }

  /// A loss that never explodes, as within a trust region, is bounded by where it stops falling.
  @Test func plateau() throws {
    let interval = try #require(curve { 1 + 1 / (1 + pow($0 / 0.01, 2)) }.interval)
    #expect(interval.upperBound >= 0.05 && interval.upperBound <= 0.2, "\(interval)")
    #expect(interval.upperBound / interval.lowerBound >= 30)
  }

  /// Noise is no fall, and neither is a loss that only rises.
  @Test func nothing() {
    var generator = SeededGenerator(seed: 1)
    #expect(curve { _ in 2 + 0.3 * (generator.uniform() - 0.5) }.interval == nil)
    #expect(curve { 2 + $0 }.interval == nil)
    #expect(RangeCurve().interval == nil)
  }

  /// The ends are such that another machine's last digits come to the same.
  @Test func roundNumbers() throws {
    for factor in [1.0, 1.01, 0.99] {
      let interval = try #require(curve { 1 + factor / (1 + pow($0 / 0.01, 2)) }.interval)
      for end in [interval.lowerBound, interval.upperBound] {
        let digits = end / pow(10, floor(log10(end) + 1e-9))
        #expect([1, 2, 5].contains { abs($0 - digits) < 1e-9 }, "\(end)")
      }
    }
  }

  /// Least squares of one weight on data whose features have variance s²: plain gradients explode at rates beyond 2/s²
  /// (for ½(wx − y)²), and below a hundredth of that 100 steps do little.
  @Test(arguments: [1.0, 3]) func quadratic(scale: Double) throws {
    let (count, width) = (600, 4)
    var generator = SeededGenerator(seed: 4)
    let x = (0..<count * width).map { _ in Float(scale * (generator.uniform() * 2 - 1) * 3.0.squareRoot()) }
    let y = (0..<count).map { row in (0..<width).reduce(Float(0)) { $0 + x[row * width + $1] / Float(scale) } }
    let folder = try Scratch()
    defer { folder.remove() }
    for (name, shape, values) in [
      ("x_train", [count, width], x), ("y_train", [count, 1], y), ("x_test", [count, width], x),
      ("y_test", [count, 1], y),
    ] { try NPYArray(shape: shape, elements: .float32(values)).write(to: folder.file("\(name).npy")) }
    let words = ["--data", folder.path, "--loss", "squared", "--shape", "4,1", "--optimizer", "sgd", "--l2", "0"]
    let training = try Train.parse(words)
    let data = try training.network.source.load(seed: 0)
    func test(_ words: [String]) throws -> RangeTest.Result {
      let trainer = try Train.parse(words).makeTrainer(data: data)
      return try RangeTest(trainer: trainer, grows: true).run { _ in }
    }
    let result = try test(words)
    #expect(result.curve.ended != nil && result.step > 0)
    #expect(result.curve.rates.count == result.curve.losses.count)
    let interval = try #require(result.curve.interval)
    let most = 2 / (scale * scale)
    #expect(interval.upperBound <= 3 * most && interval.upperBound >= 0.02 * most, "\(interval), \(most)")
    #expect(interval.lowerBound < 0.2 * most)
    // The same again, and with every optimizer.
    #expect(try test(words).curve == result.curve)
    for optimizer in ["momentum", "adam", "rngd"] {
      let other = try test(words.map { $0 == "sgd" ? optimizer : $0 })
      let range = try #require(other.curve.interval, "\(optimizer): \(other.curve)")
      #expect(range.lowerBound > 0 && range.upperBound >= 10 * range.lowerBound)
    }
  }
}
