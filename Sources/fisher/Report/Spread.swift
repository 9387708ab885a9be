/// Where the values of several seeds lie.
struct Spread: Equatable {
  var count: Int
  var mean: Double
  /// The standard deviation of the values around their mean, with n − 1; none of one value.
  var deviation: Double?
  var smallest: Double
  var largest: Double

  /// `nil` without values.
  init?(_ values: [Double]) {
    guard let smallest = values.min(), let largest = values.max() else { return nil }
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    if values.count > 1 {
      let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      deviation = (squares / Double(values.count - 1)).squareRoot()
    }
    self.smallest = smallest
    self.largest = largest
  }

  /// Half the width of the mean's 95 % confidence interval by Student's t; none of one value.
  var confidence: Double? {
    deviation.map { StudentT(degrees: count - 1).quantile(central: 0.95) * $0 / Double(count).squareRoot() }
  }
}

/// The middle of the values, of an even number the mean of the two in the middle; `nil` without any.
func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let half = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}
