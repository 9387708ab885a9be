import Foundation

/// A built-in classification problem, so that a first run needs no download: hidden factors are mixed into correlated
/// features of very different scales, which is hard on plain gradients as real data are, and a fixed random network
/// of the factors names the class.
public enum SyntheticData {
  public static let name = "synthetic"
  public static let usualValidation = 2_000
  public static let usualUnits = [1.0]

  /// - Parameters:
  ///   - features: features per sample; `factors`: hidden factors; `classes`: the number of classes.
  ///   - training, validation, test: samples of each kind.
  ///   - units: what the features are multiplied by, in turn: such as 1, 30 and 1000 for a table whose columns nobody
  ///     standardised.
  public static func make(
    features: Int = 64, factors: Int = 16, classes: Int = 10, training: Int = 10_000,
    validation: Int = Self.usualValidation, test: Int = 2_000, units: [Double] = Self.usualUnits, seed: UInt64 = 0
  ) throws -> DataSplit {
    try requireUnits(units)
    try require(features > 0, "features", expected: "1 or more", found: features)
    try require(factors > 0, "factors", expected: "1 or more", found: factors)
    try require(classes > 1, "classes", expected: "2 or more", found: classes)
    for (what, count) in [("training", training), ("validation", validation), ("test", test)] {
      try require(count >= 0, what, expected: "0 or more samples", found: count)
    }
    var generator = SeededGenerator(seed: seed, stream: .synthesis)
    let problem = try Problem(
      features: features, factors: factors, classes: classes, units: units, using: &generator)
    let (drawn, overflow) = training.addingReportingOverflow(validation)
    guard !overflow else { throw FisherError.sizeOverflow(what: "\(training) and \(validation) synthetic samples") }
    // The test set and the training set come first: they do not depend on how many samples are for validation.
    let held = try problem.draw(test, using: &generator)
    let samples = try problem.draw(drawn, using: &generator)
    return try DataSplit(name: name, samples: samples, validationCount: validation, test: held)
  }

  /// Refuses what features cannot be multiplied by.
  package static func requireUnits(_ units: [Double]) throws(FisherError) {
    try require(
      !units.isEmpty && units.allSatisfy { $0.magnitude >= 1e-30 && $0.magnitude <= 1e30 }, "units",
      expected: "numbers of magnitude 1e-30 to 1e30",
      found: units.isEmpty ? "none" : units.map { "\($0)" }.joined(separator: ","))
  }

  private struct Problem: ~Copyable {
    /// (features, factors): the mixing, its columns of scales 1 down to 1/30.
    private var mixing: Matrix<Double>
    /// (hidden, factors) and (classes, hidden): the network that names the class.
    private var inner: Matrix<Double>
    private var outer: Matrix<Double>
    private let units: [Double]

    init(features: Int, factors: Int, classes: Int, units: [Double], using generator: inout SeededGenerator)
      throws(FisherError)
    {
      let hidden = 24
      var mixing = try Matrix<Double>(rows: features, columns: factors)
      mixing.fillNormal(using: &generator) { pow(30, -Double($0) / Double(max(factors - 1, 1))) }
      var inner = try Matrix<Double>(rows: hidden, columns: factors)
      inner.fillNormal(using: &generator) { _ in 1.5 / Double(factors).squareRoot() }
      var outer = try Matrix<Double>(rows: classes, columns: hidden)
      outer.fillNormal(using: &generator) { _ in 3 / Double(hidden).squareRoot() }
      self.mixing = mixing
      self.inner = inner
      self.outer = outer
      self.units = units
    }

    func draw(_ count: Int, using generator: inout SeededGenerator) throws(FisherError) -> Dataset {
      var latent = try Matrix<Double>(rows: count, columns: mixing.columns, what: "factors of \(count) samples")
      latent.fillNormal(using: &generator) { _ in 1 }
      // The features: mixed factors, and a little noise of their own.
      var mixed = try Matrix<Double>(rows: count, columns: mixing.rows, what: "features of \(count) samples")
      mixed.fillNormal(using: &generator) { _ in 0.02 }
      mixed.setToProduct(
        latent, .none, mixing, .transposed, inner: mixing.columns, outputColumns: mixing.rows, beta: 1)
      // The class: the largest output of the hidden network.
      var activity = try Matrix<Double>(rows: count, columns: inner.rows, what: "activity of \(count) samples")
      activity.setToProduct(
        latent, .none, inner, .transposed, inner: inner.columns, outputColumns: inner.rows)
      var bent = try Matrix<Double>(rows: count, columns: inner.rows, what: "activity of \(count) samples")
      Tanh().values(&bent, of: activity)
      var scores = try Matrix<Double>(rows: count, columns: outer.rows, what: "scores of \(count) samples")
      scores.setToProduct(bent, .none, outer, .transposed, inner: outer.columns, outputColumns: outer.rows)

      var data: [Float] = []
      var labels: [Int32] = []
      data.reserveCapacity(count * mixing.rows)
      for sample in 0..<count {
        let (features, classScores) = (mixed.row(sample), scores.row(sample))
        for i in features.indices { data.append(Float(features[i] * units[i % units.count])) }
        var best = 0
        for c in classScores.indices where classScores[c] > classScores[best] { best = c }
        labels.append(Int32(best))
      }
      return Dataset(features: .floats(data), labels: labels, width: mixing.rows, classes: outer.rows)
    }
  }
}

extension Matrix<Double> {
  /// Independent normal elements, column j of standard deviation `scale(j)`.
  fileprivate mutating func fillNormal(using generator: inout SeededGenerator, scale: (Int) -> Double) {
    let scales = (0..<columns).map(scale)
    for i in 0..<rows {
      for j in 0..<columns { self[i, j] = scales[j] * generator.normal() }
    }
  }
}
