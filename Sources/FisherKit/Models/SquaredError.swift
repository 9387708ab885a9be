/// ½ Σ_i (z_i − t_i)²/σ²: −log p of normal outputs with mean z and standard deviation σ, but for a constant. Its subsystem is
/// ``LinearLayer``, ν = 1/σ².
public struct SquaredError: Loss {
  /// Of the outputs, in their units.
  public let sigma: Double
  private let layer: LinearLayer

  /// - Throws: `invalidArgument` for a σ that is not a positive number.
  public init(sigma: Double = 1) throws(FisherError) {
    (self.sigma, layer) = (sigma, try LinearLayer(sigma: sigma))
  }

  public var description: String { sigma == 1 ? "squared error" : "squared error (σ=\(sigma))" }
  public var outputSubsystem: any Subsystem { layer }

  public func validate(_ targets: Targets, outputs: Int) throws(FisherError) {
    try requireNumbers(targets, outputs: outputs)
    guard case .numbers(let numbers, _) = targets, let wrong = numbers.first(where: { !$0.isFinite }) else { return }
    throw .invalidArgument(what: "targets", expected: "finite numbers for \(self)", found: "\(wrong)")
  }

  public func sum<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>) -> LossSum {
    LossSum(loss: 0.5 * z.squaredDistance(targets.numbers) / (sigma * sigma))
  }

  public func sum<S: KernelScalar>(
    _ z: borrowing Matrix<S>, targets: TargetBatch<S>, delta: inout Matrix<S>, scale: Double
  ) -> LossSum {
    delta.setToDifference(z, targets.numbers, scale: scale / (sigma * sigma))
    return sum(z, targets: targets)
  }
}

extension Matrix {
  /// Σ (a_ij − b_ij)²
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate func squaredDistance(_ other: borrowing Matrix) -> Double {
    demand(rows == other.rows && columns == other.columns, "targets of another shape")
    var sum = 0.0
    for s in 0..<rows {
      let (row, target) = (storage.base + s * stride, other.storage.base + s * other.stride)
      for i in 0..<columns {
        let difference = Double(row[i]) - Double(target[i])
        sum += difference * difference
      }
    }
    return sum
  }

  /// self = scale · (a − b)
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToDifference(_ a: borrowing Matrix, _ b: borrowing Matrix, scale: Double) {
    demand(
      rows == a.rows && rows == b.rows && columns == a.columns && columns == b.columns, "targets of another shape")
    for s in 0..<rows {
      let row = storage.base + s * stride
      let (x, y) = (a.storage.base + s * a.stride, b.storage.base + s * b.stride)
      for i in 0..<columns { row[i] = Scalar(scale * (Double(x[i]) - Double(y[i]))) }
    }
  }
}
