/// −log η_class with η = softmax(z): one of several classes. A row is right where its class has the largest output, the first
/// of equal ones. Its subsystem is ``SoftmaxLayer``, diag η − ηηᵀ (eq 10).
public struct SoftmaxCrossEntropy: Loss {
  public init() {}

  public var description: String { "softmax cross-entropy" }
  public var outputSubsystem: any Subsystem { SoftmaxLayer() }

  public func validate(_ targets: Targets, outputs: Int) throws(FisherError) {
    try requireClasses(targets, outputs: outputs)
  }

  public func sum<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>) -> LossSum {
    let classes = targets.classes
    let (loss, correct) = z.crossEntropy(labels: classes.span.extracting(first: targets.rows))
    return LossSum(loss: loss, correct: correct)
  }

  public func sum<S: KernelScalar>(
    _ z: borrowing Matrix<S>, targets: TargetBatch<S>, delta: inout Matrix<S>, scale: Double
  ) -> LossSum {
    let classes = targets.classes
    let (loss, correct) = z.crossEntropy(
      labels: classes.span.extracting(first: targets.rows), delta: &delta, scale: scale)
    return LossSum(loss: loss, correct: correct)
  }
}
