/// A part of a network that has a relative Fisher information matrix of its own: it knows what its matrix is, while a
/// ``Metric`` knows how that is held and inverted.
///
/// A layer of m neurons with inputs x̃ has the matrix diag[ν_1 x̃x̃ᵀ, …, ν_m x̃x̃ᵀ]; what kind of layer it is decides ν.
public protocol Subsystem: Sendable, CustomStringConvertible {
  /// The value of ν where it is the same for every neuron and every sample, so that one d×d block serves the layer.
  var constantNu: Double? { get }
  /// Whether all neurons have the same inputs X̃; by default so.
  var sharesInputs: Bool { get }
  /// Whether its outputs are normal: then their unit variance is a choice of units, and how far a step may move them is
  /// measured by their own mean square, where probabilities are measured as they are. By default so.
  var hasNormalOutputs: Bool { get }
  /// ν (n,m) from the pre-activations z (n,m).
  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>)
  /// Its relative Fisher matrix over samples X̃ (n,d) with pre-activations z (n,m). By default block-diagonal, with
  /// ν x̃x̃ᵀ for each neuron, or one block for all where ν is constant.
  func rfim<S: KernelScalar>(
    inputs: borrowing Matrix<S>, preactivations: borrowing Matrix<S>
  ) throws(FisherError) -> any RFIM<S>
  /// How far a change of its pre-activations from z to z' (n,m) moves its outputs. By default that of normal outputs.
  func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence
  /// A curvature of its own kind for parameters that no ``Metric`` fits, where each neuron has inputs of its own; by
  /// default `nil`, which leaves it to the optimizer's metric. The site's place and count mean nothing here.
  func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> (any Curvature<S>)?
}

extension Subsystem {
  public var constantNu: Double? { nil }
  public var sharesInputs: Bool { true }
  public var hasNormalOutputs: Bool { true }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> (any Curvature<S>)? {
    nil
  }

  public func rfim<S: KernelScalar>(
    inputs x: borrowing Matrix<S>, preactivations z: borrowing Matrix<S>
  ) throws(FisherError) -> any RFIM<S> {
    if let constantNu { return try SharedBlock<S>(inputs: x, nu: constantNu, neurons: z.columns) }
    // In double precision: what rounding it to Float would lose is felt by a solve.
    var nu = try Matrix<Double>(rows: z.rows, columns: z.columns, what: "ν of \(z.rows) samples")
    self.nu(&nu, preactivations: try z.inDouble(what: "pre-activations of \(z.rows) samples"))
    return try NeuronBlocks<S>(inputs: x, exactNu: nu)
  }
}
