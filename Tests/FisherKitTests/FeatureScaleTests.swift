import Testing

@testable import FisherKit

/// The root mean squares of features, by which a first layer's start goes.
@Suite struct FeatureScaleTests {
  private func scale(rows: Int, _ value: (Int, Int) -> Float, range: Range<Int>? = nil) -> FeatureScale {
    let features = (0..<rows).flatMap { row in (0..<3).map { value(row, $0) } }
    let set = Dataset(features: .floats(features), labels: Array(repeating: 0, count: rows), width: 3, classes: 1)
    return FeatureScale(of: set, range ?? 0..<rows)
  }

  /// Only what is above 3 is out of scale.
  @Test func limit() {
    #expect(scale(rows: 4) { [2.9, 3, 3.1][$1] * ($0 % 2 == 0 ? 1 : -1) }.outOfScale == 1)
    #expect(scale(rows: 4) { _, j in [3.5, 3.9, 100][j] }.outOfScale == 3)
  }

  @Test func meanOfSquares() {
    // (1 + 4 + 9)/3, of the rows that are asked for
    let found = scale(rows: 5, { Float($0) * [1, 2, 0][$1] }, range: 1..<4).rootMeanSquares
    #expect(abs(found[0] - (14.0 / 3).squareRoot()) < 1e-15 && abs(found[1] - 2 * (14.0 / 3).squareRoot()) < 1e-15)
    #expect(found[2] == 0)
  }

  /// Of 5,000 samples each fifth is looked at: a tenth of those here, and no other, has a feature.
  @Test func thousandSamples() {
    let found = scale(rows: 5000) { row, j in row % 50 == 5 ? 2 : row % 50 == 7 && j == 1 ? 9 : 0 }.rootMeanSquares
    for root in found { #expect(abs(root - 0.4.squareRoot()) < 1e-15) }
  }
}
