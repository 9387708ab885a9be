/// Something else than the loss that outputs are judged by in evaluations, such as the share within a tolerance: sums over
/// rows, and what is made of them.
public protocol Measure: Sendable {
  /// For reports; no two of a trainer have the same.
  var name: String { get }
  /// How many sums it takes.
  var sums: Int { get }
  /// Adds the outputs z (rows, m) of some samples.
  func add<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>, to sums: inout [Double])
  /// Its value for so many rows.
  func value(_ sums: [Double], rows: Int) -> Double
}

/// Measures under way in an evaluation.
struct MeasureSums {
  private let measures: [any Measure]
  private var sums: [[Double]]
  private var rows = 0

  init(_ measures: [any Measure]) {
    self.measures = measures
    sums = measures.map { Array(repeating: 0, count: $0.sums) }
  }

  mutating func add<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>) {
    for i in measures.indices { measures[i].add(z, targets: targets, to: &sums[i]) }
    rows += z.rows
  }

  var values: [String: Double] {
    Dictionary(zip(measures, sums).map { ($0.name, $0.value($1, rows: rows)) }) { first, _ in first }
  }
}
