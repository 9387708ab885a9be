/// What kind of matrix a subsystem has over samples X̃ (n,d) with pre-activations z (n,m): what ``Subsystem/rfim(inputs:preactivations:)``
/// and every metric go by. A metric that has no way for a form says so: `FisherError.unsupportedForm`.
public enum Form: Sendable, CustomStringConvertible {
  /// diag[B, …, B] with B = (ν/n) Σ_s x̃_sx̃_sᵀ: one block for all neurons (section 2.5).
  case shared(nu: Double)
  /// diag[Ĝ_1, …, Ĝ_m] with Ĝ_i = (1/n) Σ_s ν_i(s) x̃_sx̃_sᵀ and ν by ``Subsystem/nu(_:preactivations:)`` (section 2.6).
  case neurons
  /// A 2×2 block (1/n) Σ_s (x̂_i, 1)(x̂_i, 1)ᵀ for each channel, which has inputs of its own (eq 8); or without a shift the
  /// number (1/n) Σ_s x̂_i².
  case channels(hasShift: Bool)
  /// A block (1/n) Σ_s ν_i(s) p̃_isp̃_isᵀ for each channel, which has inputs of its own: see ``DepthwiseLayer``.
  case windows
  /// (1/n) Σ_s (diag η_s − η_sη_sᵀ) ⊗ x̃_sx̃_sᵀ with η = softmax(z) (eq 10). It is a coupled one, with kernels of its own.
  case softmax
  /// (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ: the neurons are coupled by matrices A_s (m,m).
  case coupled(any Coupling)
  /// The same with A_s = F_s Cᵀ O_s C F_s, made of the layer above (section 2.8, eqs 11 and 12): see ``TwoLayers``.
  case twoLayers(TwoLayers)

  public var description: String {
    switch self {
    case .shared: "one block for all neurons"
    case .neurons: "a block for each neuron"
    case .channels(let hasShift): "\(hasShift ? "a block of order 2" : "a number") for each channel"
    case .windows: "a block for the window of each channel"
    case .softmax: "coupled classes of a softmax"
    case .coupled(let coupling): "coupled neurons (\(coupling))"
    case .twoLayers(let layers): "coupled neurons of two layers (\(layers))"
    }
  }
}

extension Subsystem {
  /// Whether all neurons have the same inputs X̃.
  var sharesInputs: Bool {
    switch form {
    case .channels, .windows: false
    case .shared, .neurons, .softmax, .coupled, .twoLayers: true
    }
  }
}

/// What makes the A_s of a coupled subsystem: how its outputs vary together.
public protocol Coupling: Sendable, CustomStringConvertible {
  /// k: the most columns that a root of an A_s has, for m neurons; by default m.
  func rank(neurons m: Int) -> Int
  /// The A_s of samples with pre-activations z (n,m). It is called in single and in double precision, and is to be as
  /// accurate as they are. ``RootCovariance`` makes it of the A_s' square roots.
  func covariance<S: KernelScalar>(preactivations z: borrowing Matrix<S>) throws(FisherError) -> any SampleCovariance<S>
}

extension Coupling {
  public func rank(neurons m: Int) -> Int { m }
}
