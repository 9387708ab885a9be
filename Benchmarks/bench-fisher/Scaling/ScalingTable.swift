import FisherKit

/// The fits as a person reads them.
enum ScalingTable {
  static let header =
    Table.pad("kernel", -28) + Table.pad("type", -7) + Table.pad("P", 2) + Table.pad("size", 9)
    + Table.pad("from", 6) + Table.pad("to", 6) + Table.pad("exponent", 10) + Table.pad("of flops", 10)
    + Table.pad("differ by", 11) + "  step by step (of flops)"

  static func row(_ scaling: Scaling) -> String {
    let range = scaling.points.map(\.value)
    let name =
      Table.pad(scaling.kernel, -28) + Table.pad(scaling.precision, -7)
      + Table.pad(scaling.size == .threads ? "" : "\(scaling.threads)", 2) + Table.pad(scaling.size.rawValue, 9)
      + Table.pad("\(range.first!)", 6) + Table.pad("\(range.last!)", 6)
    if scaling.size == .threads { return name + "  " + speedUp(scaling) }
    guard let exponent = scaling.exponent, let expected = scaling.expected, let difference = scaling.difference else {
      return name + "  no fit"
    }
    return name + Table.pad(fixed(exponent, 2), 10) + Table.pad(fixed(expected, 2), 10)
      + Table.pad(signed(difference) + (scaling.isWithinTolerance ? " " : "!"), 11) + "  " + steps(scaling)
  }

  static func steps(_ scaling: Scaling) -> String {
    scaling.steps.map { "\(fixed($0.seconds, 2)) (\(fixed($0.flops, 2)))" }.joined(separator: ", ")
  }

  static func speedUp(_ scaling: Scaling) -> String {
    let first = scaling.points.first!.seconds
    return scaling.points.dropFirst()
      .map { "\(fixed(first / $0.seconds, 2)) times as fast with \($0.value) threads" }.joined(separator: ", ")
  }

  static func signed(_ number: Double) -> String { (number < 0 ? "" : "+") + fixed(number, 2) }
}
