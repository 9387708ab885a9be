import Foundation

/// A built-in classification problem, so that a first run needs no download: hidden factors are mixed into correlated
/// features of very different scales, which is hard on plain gradients as real data are, and a fixed random network
/// of the factors names the class.
public enum SyntheticData {
  public static let name = "synthetic"

  /// - Parameters:
  ///   - features: features per sample; `factors`: hidden factors; `classes`: the number of classes.
  ///   - training, validation, test: samples of each kind.
  public static func make(
    features: Int = 64, factors: Int = 16, classes: Int = 10, training: Int = 10_000, validation: Int = 2_000,
    test: Int = 2_000, seed: UInt64 = 0
  ) throws(DataError) -> DataSplit {
    precondition(features > 0 && factors > 0 && classes > 1, "a problem has features, factors and classes")
    var generator = SeededGenerator(seed: seed, stream: .synthesis)
    let problem = Problem(features: features, factors: factors, classes: classes, using: &generator)
    let samples = problem.draw(training + validation, using: &generator)
    let held = problem.draw(test, using: &generator)
    return try DataSplit(name: name, samples: samples, validationCount: validation, test: held)
  }

  private struct Problem {
    let factors: Int
    let features: Int
    let classes: Int
    /// (features, factors): the mixing, its columns of scales 1 down to 1/30.
    var mixing: [Double] = []
    /// (hidden, factors) and (classes, hidden): the network that names the class.
    var inner: [Double] = []
    var outer: [Double] = []
    let hidden = 24

    init(features: Int, factors: Int, classes: Int, using generator: inout SeededGenerator) {
      self.features = features
      self.factors = factors
      self.classes = classes
      for _ in 0..<features {
        for k in 0..<factors {
          let scale = pow(30, -Double(k) / Double(max(factors - 1, 1)))
          mixing.append(scale * generator.normal())
        }
      }
      for _ in 0..<(hidden * factors) { inner.append(generator.normal() * 1.5 / Double(factors).squareRoot()) }
      for _ in 0..<(classes * hidden) { outer.append(generator.normal() * 3 / Double(hidden).squareRoot()) }
    }

    func draw(_ count: Int, using generator: inout SeededGenerator) -> Dataset {
      var data: [Float] = []
      var labels: [Int32] = []
      data.reserveCapacity(count * features)
      for _ in 0..<count {
        let latent = (0..<factors).map { _ in generator.normal() }
        for i in 0..<features {
          var feature = 0.02 * generator.normal()
          for k in 0..<factors { feature += mixing[i * factors + k] * latent[k] }
          data.append(Float(feature))
        }
        labels.append(label(of: latent))
      }
      return Dataset(features: .floats(data), labels: labels, width: features, classes: classes)
    }

    private func label(of latent: [Double]) -> Int32 {
      let activity = (0..<hidden).map { h in
        tanh((0..<factors).reduce(0.0) { $0 + inner[h * factors + $1] * latent[$1] })
      }
      let scores = (0..<classes).map { c in
        (0..<hidden).reduce(0.0) { $0 + outer[c * hidden + $1] * activity[$1] }
      }
      return Int32(scores.indices.max { scores[$0] < scores[$1] }!)
    }
  }
}
