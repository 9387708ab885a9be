/// Some parameters of a model with the optimizer that steps take.
public struct ParameterGroup<Scalar: KernelScalar> {
  public let parameters: ParameterPattern
  /// `nil` leaves the weights as they are.
  public let optimizer: (any Optimizer<Scalar>)?

  public init(_ parameters: ParameterPattern, optimizer: (any Optimizer<Scalar>)?) {
    (self.parameters, self.optimizer) = (parameters, optimizer)
  }
}

/// Which parameters of a model.
public enum ParameterPattern: Equatable, Sendable, CustomStringConvertible {
  case all
  /// Whose name is like one of these, in which `*` stands for any text and `?` for any character: "layer 1", "* scale".
  case named([String])
  /// Those that have no Fisher matrix, and of which a natural gradient knows nothing.
  case withoutSubsystem

  public static func named(_ patterns: String...) -> ParameterPattern { .named(patterns) }

  public func contains<S: KernelScalar>(_ parameter: Parameter<S>) -> Bool {
    switch self {
    case .all: true
    case .named(let patterns): patterns.contains { isLike($0, parameter.name) }
    case .withoutSubsystem: parameter.subsystem == nil
    }
  }

  public var description: String {
    switch self {
    case .all: "all parameters"
    case .named(let patterns): patterns.joined(separator: ", ")
    case .withoutSubsystem: "parameters without a subsystem"
    }
  }
}

/// Whether a name is like a pattern with `*` and `?`.
func isLike(_ pattern: String, _ name: String) -> Bool {
  let (pattern, name) = (Array(pattern), Array(name))
  // (where the last * was, and what it stands for so far: a * that stands for more may be tried again, and no other needs to)
  var (p, n, star, covered) = (0, 0, -1, 0)
  while n < name.count {
    if p < pattern.count, pattern[p] == "*" {
      (star, covered) = (p, n)
      p += 1
    } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
      (p, n) = (p + 1, n + 1)
    } else if star >= 0 {
      covered += 1
      (p, n) = (star + 1, covered)
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == "*" }
}

/// Some of a model's parameters, as a model.
final class ModelPart<Scalar: KernelScalar>: Model {
  let whole: any Model<Scalar>
  let parameters: [Parameter<Scalar>]
  /// The place here of each parameter of the whole; −1 for those that are not in it.
  private let places: [Int]

  init(of whole: any Model<Scalar>, _ indices: [Int]) {
    self.whole = whole
    let all = whole.parameters
    parameters = indices.map { all[$0] }
    var places = Array(repeating: -1, count: all.count)
    for (place, index) in indices.enumerated() { places[index] = place }
    self.places = places
  }

  func observe(_ body: ObservationBody<Scalar>) throws(FisherError) {
    try whole.observe { (parameter, observed) throws(FisherError) in
      if places[parameter] >= 0 { try body(places[parameter], observed) }
    }
  }
}
