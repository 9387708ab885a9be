/// What can go wrong while computing, and what a caller can do about it. Mistakes of the programmer (a matrix of the
/// wrong shape) are preconditions; what data, sizes or hyper-parameters can cause is one of these.
public enum FisherError: Error, Equatable, Sendable {
  /// The sizes multiply to more bytes than can be addressed.
  case sizeOverflow(what: String)
  /// The system refused `bytes` of memory.
  case outOfMemory(what: String, bytes: Int)
  /// A damped Fisher matrix could not be factored.
  case notPositiveDefinite(FactorizationFailure)
  /// Training met a NaN or an infinity.
  case nonFinite(what: String, step: Int)
  /// Training went astray again and again, and its weights went back as often as they may.
  case diverged(step: Int, what: String, timesBack: Int)
  /// A result would take more memory than the caller allows; `instead` names the way that would fit.
  case exceedsMemoryCap(what: String, bytes: Int, cap: Int, instead: String)
  /// An iteration ended before it was as exact as asked: ‖r‖/‖b‖ was `residual`.
  case notConverged(what: String, iterations: Int, residual: Double, tolerance: Double)
  /// A damped system was solved, but not to the accuracy that is promised: the relative error is bounded by no less than
  /// `errorBound`, with a relative residual of `residual`.
  case inaccurate(what: String, errorBound: Double, tolerance: Double, residual: Double, damping: Double)
  /// A metric that has no way for a subsystem's kind of matrix.
  case unsupportedForm(parameter: String, form: String, metric: String, instead: String)
  /// A hyper-parameter outside its range.
  case invalidArgument(what: String, expected: String, found: String)
}

/// Which block of which subsystem could not be factored.
public struct FactorizationFailure: Equatable, Sendable {
  /// The parameter's name, such as "layer 1".
  public var parameter: String
  /// The neuron (from 0), or `nil` when all neurons share the block.
  public var neuron: Int?
  /// The first pivot (from 0) that was not positive, and its value.
  public var pivot: Int
  public var value: Double
  /// How many blocks failed, of how many.
  public var failedBlocks: Int
  public var blocks: Int
  /// The order d of a block, and the damping λ that was added to its diagonal.
  public var order: Int
  public var damping: Double

  public init(
    parameter: String, neuron: Int?, pivot: Int, value: Double, failedBlocks: Int, blocks: Int, order: Int,
    damping: Double
  ) {
    self.parameter = parameter
    self.neuron = neuron
    self.pivot = pivot
    self.value = value
    self.failedBlocks = failedBlocks
    self.blocks = blocks
    self.order = order
    self.damping = damping
  }
}

extension FisherError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .sizeOverflow(let what): "\(what): expected a size that can be addressed, found one that overflows"
    case .outOfMemory(let what, let bytes): "\(what): expected \(bytes) bytes of memory, found less"
    case .notPositiveDefinite(let failure): failure.description
    case .nonFinite(let what, let step):
      "\(what) at step \(step): expected a finite number, found NaN or infinity; "
        + "a smaller learning rate may help, or with rngd a larger damping"
    case .diverged(let step, let what, let times):
      "step \(step): expected training to go on after \(times) returns to the last good weights, found \(what); "
        + "a smaller learning rate may help, or standardised features"
    case .exceedsMemoryCap(let what, let bytes, let cap, let instead):
      "\(what): expected at most \(cap) bytes of memory, found \(bytes) needed; \(instead)"
    case .notConverged(let what, let iterations, let residual, let tolerance):
      "\(what): expected a relative residual of \(tolerance), found \(residual) after \(iterations) iterations"
    case .inaccurate(let what, let bound, let tolerance, let residual, let damping):
      "\(what): expected a relative error of at most \(tolerance), found a bound of \(bound) with damping \(damping) "
        + "and a relative residual of \(residual); use a larger damping"
    case .unsupportedForm(let parameter, let form, let metric, let instead):
      "\(parameter): expected a form that the \(metric) metric has a way for, found \(form); \(instead)"
    case .invalidArgument(let what, let expected, let found): "\(what): expected \(expected), found \(found)"
    }
  }
}

extension FactorizationFailure: CustomStringConvertible {
  public var description: String {
    let place = neuron.map { "neuron \($0), pivot \(pivot)" } ?? "shared block, pivot \(pivot)"
    return "\(parameter), \(place): expected a positive definite Fisher matrix of order "
      + "\(order), found pivot \(value) with damping \(damping) (\(failedBlocks) of \(blocks) blocks failed); "
      + "use a larger damping"
  }
}
