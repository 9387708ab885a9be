/// What a network's outputs are judged by: a negative log-likelihood of targets, and so a distribution of outputs, which is
/// what the last subsystem takes its Fisher matrix from.
///
/// To add a loss, write one file with a type that conforms to this. The gradient of −log p(target | z) is all that training
/// needs of it.
public protocol Loss: Sendable, CustomStringConvertible {
  /// The subsystem of a linear last layer whose outputs are the z of this loss.
  var outputSubsystem: any Subsystem { get }
  /// Refuses targets that it cannot judge by.
  /// - Throws: `invalidArgument` with what it expects of targets, and what these are.
  func validate(_ targets: Targets, outputs: Int) throws(FisherError)
  /// The sum of the losses of outputs z (rows, m).
  func sum<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>) -> LossSum
  /// The same, and delta = scale · ∂sum/∂z.
  func sum<S: KernelScalar>(
    _ z: borrowing Matrix<S>, targets: TargetBatch<S>, delta: inout Matrix<S>, scale: Double
  ) -> LossSum
}

/// A loss summed over some rows of outputs.
public struct LossSum: Equatable, Sendable {
  public var loss: Double
  /// How many rows are right; `nil` where outputs are not right or wrong.
  public var correct: Int?

  public init(loss: Double, correct: Int? = nil) {
    self.loss = loss
    self.correct = correct
  }

  static func + (a: LossSum, b: LossSum) -> LossSum {
    LossSum(loss: a.loss + b.loss, correct: a.correct.flatMap { x in b.correct.map { x + $0 } })
  }
}

/// A loss over some samples, and the fraction that is right.
public struct Score: Equatable, Sendable {
  /// The mean over samples, in nats.
  public var loss: Double
  /// `nil` where the loss has no right and wrong.
  public var accuracy: Double?

  public init(loss: Double, accuracy: Double?) {
    self.loss = loss
    self.accuracy = accuracy
  }

  /// 1 − accuracy
  public var error: Double? { accuracy.map { 1 - $0 } }

  init(_ sum: LossSum, samples: Int, rows: Int) {
    loss = sum.loss / Double(samples)
    accuracy = sum.correct.map { Double($0) / Double(rows) }
  }
}

extension Loss {
  func requireClasses(_ targets: Targets, outputs: Int) throws(FisherError) {
    guard case .classes(_, let count) = targets else {
      throw .invalidArgument(what: "targets", expected: "classes for \(self)", found: targets.kind)
    }
    guard count <= outputs else {
      throw .invalidArgument(
        what: "targets", expected: "at most \(outputs) classes, the network's outputs", found: "\(count)")
    }
  }

  func requireNumbers(_ targets: Targets, outputs: Int) throws(FisherError) {
    guard case .numbers(_, let width) = targets else {
      throw .invalidArgument(what: "targets", expected: "numbers for \(self)", found: targets.kind)
    }
    guard width == outputs else {
      throw .invalidArgument(
        what: "targets", expected: "\(outputs) numbers a sample, the network's outputs", found: "\(width)")
    }
  }
}
