import Foundation
import Testing

@testable import FisherKitBench

/// Exponents, rooflines and where labels go: arithmetic, on made-up figures.
@Suite struct ScalingTests {
  @Test(arguments: [0.0, 1, 1.5, 2, 3, -1]) func exactPower(exponent: Double) throws {
    let points = [1.0, 2, 4, 8].map { x in (x: x, y: 3 * pow(x, exponent)) }
    let fit = try #require(PowerFit(points))
    #expect(abs(fit.exponent - exponent) < 1e-12 && abs(fit.coefficient - 3) < 1e-11)
  }

  /// Two points up by 10%, two down: the middle line.
  @Test func noise() throws {
    let fit = try #require(PowerFit([(1, 1.1), (2, 4 / 1.1), (4, 16 / 1.1), (8, 64 * 1.1)]))
    #expect(abs(fit.exponent - 2) < 1e-12)
    let bent = try #require(PowerFit([(1, 1), (2, 4), (4, 32)]))
    #expect(abs(bent.exponent - 2.5) < 1e-12)
  }

  @Test func noLine() {
    #expect(PowerFit([]) == nil && PowerFit([(2, 3)]) == nil && PowerFit([(2, 3), (2, 4)]) == nil)
    #expect(PowerFit([(1, 0), (2, 4)]) == nil && PowerFit([(0, 1), (2, 4)]) == nil)
    #expect(PowerFit([(1, .nan), (2, 4)]) == nil && PowerFit([(1, 1), (2, .infinity)]) == nil)
  }

  private func scaling(seconds: (Double) -> Double, flops: (Double) -> Double) -> Scaling {
    Scaling(
      kernel: "made_up", precision: "float", threads: 2, size: .d,
      points: [64, 128, 256].map { .init(value: $0, seconds: seconds(Double($0)), flops: flops(Double($0))) })
  }

  /// d (d + 1) grows a little more slowly than d^2, and that is what times are held against.
  @Test func againstTheFlops() throws {
    let same = scaling(seconds: { 1e-9 * $0 * ($0 + 1) }, flops: { $0 * ($0 + 1) })
    let expected = try #require(same.expected)
    #expect(expected > 1.98 && expected < 1.995)
    #expect(abs(try #require(same.difference)) < 1e-12 && same.isWithinTolerance)
    #expect(abs(same.steps[0].seconds - 128.0 * 129 / (64 * 65)) < 1e-9)
    let off = scaling(seconds: { pow($0, 2.16) }, flops: { $0 * $0 })
    #expect(abs(try #require(off.difference) - 0.16) < 1e-9 && !off.isWithinTolerance)
    let near = scaling(seconds: { pow($0, 1.86) }, flops: { $0 * $0 })
    #expect(near.isWithinTolerance)
    #expect(ScalingTable.row(off).contains("+0.16!") && ScalingTable.row(near).contains("-0.14 "))
  }

  @Test func doublingSizes() {
    #expect(doublings(from: 64, through: 512) == [64, 128, 256, 512] && doublings(from: 64, through: 500).last == 256)
  }

  @Test func roofline() {
    let roofline = Roofline(peak: Peak(arithmetic: 100, product: 90), bandwidth: 20)
    #expect(roofline.ridge == 5)
    #expect(roofline.attainable(intensity: 2) == 40 && roofline.bound(intensity: 2) == .memory)
    #expect(roofline.attainable(intensity: 50) == 100 && roofline.bound(intensity: 50) == .compute)
  }

  @Test func patience() {
    let usual = Patience.usual
    #expect(!usual.isEnough(repetitions: 2, seconds: 10) && usual.isEnough(repetitions: 3, seconds: 1))
    #expect(!usual.isEnough(repetitions: 19, seconds: 0.9) && usual.isEnough(repetitions: 20, seconds: 0.9))
    #expect(!usual.isEnough(repetitions: 20, seconds: 0.01) && usual.isEnough(repetitions: 5000, seconds: 0.3))
  }

  /// Long names among twenty points that lie close: no two cover each other, none a point, and a line leads to each that
  /// is not beside its own.
  @Test func labelsApart() {
    let dots = (0..<20).map { (i: Int) -> (x: Double, y: Double) in
      (Double(300 + 12 * (i % 5)), Double(200 + 12 * (i / 5)))
    }
    let taken = dots.map { LabelPlacement.Box(x: $0.x, y: $0.y, halfWidth: 4, halfHeight: 4) }
    let text = "a kernel d=785 m=80 (0.95)"
    let labels = LabelPlacement.place(
      dots.prefix(10).map { (text, $0.x, $0.y) }, beside: taken, width: 800, height: 500)
    #expect(labels.count == 10 && labels.contains { $0.leader != nil })
    let width = 3.1 * Double(text.count)
    for (i, label) in labels.enumerated() {
      #expect(label.x - width >= 0 && label.x + width <= 800 && (0...500).contains(label.y), "\(label)")
      for dot in dots { #expect(abs(label.x - dot.x) >= width || abs(label.y - dot.y) >= 6, "\(i)") }
      for other in labels[..<i] {
        #expect(abs(label.x - other.x) >= 2 * width || abs(label.y - other.y) >= 11, "\(label) and \(other)")
      }
    }
  }
}
