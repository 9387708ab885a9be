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
  var hasAccuracy: Bool { self != .squared }
}
