import FisherKit
import Foundation

/// An axis of a figure: its range, and where its ticks are.
package struct Axis: Equatable {
  package var label: String
  package var low: Double
  package var high: Double
  package var isLogarithmic = false

  /// A range that holds the values with a little room; of a logarithmic axis those above 0.
  package init?(_ label: String, over values: [Double], isLogarithmic: Bool = false, room: Double = 0.04) {
    // (beyond these a range is no number any more)
    let values = values.filter { abs($0) <= 1e100 && (!isLogarithmic || $0 >= 1e-100) }
    guard var low = values.min(), var high = values.max() else { return nil }
    if isLogarithmic {
      let space = high / low < 1.01 ? 1.05 : pow(high / low, room)
      (low, high) = (low / space, high * space)
    } else {
      let space = high - low < 1e-9 ? max(abs(high) * 0.05, 1e-6) : (high - low) * room
      (low, high) = (low - space, high + space)
    }
    (self.label, self.low, self.high, self.isLogarithmic) = (label, low, high, isLogarithmic)
  }

  /// 0 at the low end, 1 at the high one. A value that has no logarithm lies at the low end.
  package func position(of value: Double) -> Double {
    if !isLogarithmic { return (value - low) / (high - low) }
    return log(max(value, low) / low) / log(high / low)
  }

  /// Round numbers. The page's script has the same rule, for ranges that its reader chooses.
  package var ticks: [Double] {
    guard isLogarithmic, high / low >= 10 else { return linearTicks }
    let parts: [Double] = high / low > 1000 ? [1] : [1, 2, 5]
    return (Int(floor(log10(low)))...Int(ceil(log10(high)))).flatMap { power in
      parts.map { $0 * pow(10, Double(power)) }
    }
    .filter { (low...high).contains($0) }
  }

  private var linearTicks: [Double] {
    let rough = (high - low) / 6
    let power = pow(10, floor(log10(rough)))
    let step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1)
    let first = Int(ceil(low / step))
    let last = Int(floor(high / step))
    return first > last ? [] : (first...last).map { Double($0) * step }
  }

  /// Seconds and losses far from 1 keep it short.
  package static func text(_ tick: Double) -> String { short(abs(tick) < 1e-12 ? 0 : tick, 6) }
}
