import ArgumentParser
import FisherKit

/// The losses by the names that the command line has for them.
enum LossName: String, CaseIterable, ExpressibleByArgument {
  case softmax, bernoulli, squared

  func make() throws(FisherError) -> any Loss {
    switch self {
    case .softmax: SoftmaxCrossEntropy()
    case .bernoulli: BernoulliCrossEntropy()
    case .squared: try SquaredError()
    }
  }

  /// Whether its outputs are right or wrong.
  var hasAccuracy: Bool {
    switch self {
    case .softmax, .bernoulli: true
    case .squared: false
    }
  }

  /// What it judges, as help has it.
  private var targets: String {
    switch self {
    case .softmax: "one of several classes"
    case .bernoulli: "labels that apply or not, numbers from 0 to 1"
    case .squared: "numbers"
    }
  }

  static var all: String {
    let all = allCases.map { "\($0) (\($0.targets))" }
    return "\(all.dropLast().joined(separator: ", ")) or \(all.last!)"
  }
}

extension OutputDistribution {
  /// What one of its outputs is of, and several.
  var noun: (one: String, many: String) {
    switch self {
    case .categorical: ("class", "classes")
    case .bernoulli: ("label", "labels")
    case .normal: ("number", "numbers")
    }
  }
}
