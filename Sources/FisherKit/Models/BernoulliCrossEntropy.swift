import Foundation

/// Σ_i −log p(t_i | σ(z_i)) of independent labels that apply or not: log(1 + e^z) − t z for targets t from 0 to 1. A row is
/// right where all of its labels are, z > 0 for t > ½. Its subsystem is that of sigm outputs, ν = σ(1 − σ).
public struct BernoulliCrossEntropy: Loss {
  public init() {}

  public var description: String { "Bernoulli cross-entropy" }
  public var outputSubsystem: any Subsystem { NonlinearLayer(Sigm()) }

  public func validate(_ targets: Targets, outputs: Int) throws(FisherError) {
    try requireNumbers(targets, outputs: outputs)
    guard case .numbers(let numbers, _) = targets, let wrong = numbers.first(where: { !($0 >= 0 && $0 <= 1) })
    else { return }
    throw .invalidArgument(what: "targets", expected: "numbers from 0 to 1 for \(self)", found: "\(wrong)")
  }

  public func sum<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>) -> LossSum {
    z.bernoulliCrossEntropy(targets: targets.numbers)
  }

  public func sum<S: KernelScalar>(
    _ z: borrowing Matrix<S>, targets: TargetBatch<S>, delta: inout Matrix<S>, scale: Double
  ) -> LossSum {
    delta.setToBernoulliDifference(z, targets: targets.numbers, scale: scale)
    return z.bernoulliCrossEntropy(targets: targets.numbers)
  }
}

extension Matrix {
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate func bernoulliCrossEntropy(targets: borrowing Matrix) -> LossSum {
    demand(rows == targets.rows && columns == targets.columns, "targets of another shape")
    var (loss, correct) = (0.0, 0)
    for s in 0..<rows {
      let (row, target) = (storage.base + s * stride, targets.storage.base + s * targets.stride)
      var isRight = true
      for i in 0..<columns {
        let (z, t) = (Double(row[i]), Double(target[i]))
        // (log(1 + e^z) = max(z, 0) + log(1 + e^−|z|), which cannot overflow)
        loss += max(z, 0) - t * z + log1p(exp(-abs(z)))
        isRight = isRight && (z > 0) == (t > 0.5)
      }
      if isRight { correct += 1 }
    }
    return LossSum(loss: loss, correct: correct)
  }

  /// self = scale · (σ(z) − t)
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToBernoulliDifference(
    _ z: borrowing Matrix, targets: borrowing Matrix, scale: Double
  ) {
    demand(
      rows == targets.rows && rows == z.rows && columns == targets.columns && columns == z.columns,
      "targets of another shape")
    for s in 0..<rows {
      let (row, from) = (storage.base + s * stride, z.storage.base + s * z.stride)
      let target = targets.storage.base + s * targets.stride
      for i in 0..<columns {
        let t = exp(-abs(Double(from[i])))
        row[i] = Scalar(scale * ((from[i] < 0 ? t : 1) / (1 + t) - Double(target[i])))
      }
    }
  }
}
