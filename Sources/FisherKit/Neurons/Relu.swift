import Foundation

/// relu_{ι,ω}(z) = ω ln(e^{ιz/ω} + e^{z/ω}) (eq 2): slope ι far to the left, 1 far to the right, and a bend of width ω
/// between. ω = 0 is the hard relu max(z, ιz). The output is Gaussian: ν = f'² (eq 8).
///
/// A network may run the hard relu forward while its metric uses ω = 1 (``metricOmega``), as the paper does; so that is the
/// ``metricForm`` of a hard relu.
public struct Relu: Activation {
  /// The slope ι ∈ [0, 1) of the negative side.
  public let iota: Double
  /// The width ω ≥ 0 of the bend, in units of z.
  public let omega: Double

  /// The hard relu max(z, 0).
  public init() { self.init(known: 0, 0) }

  /// - Parameters:
  ///   - iota: in [0, 1).
  ///   - omega: from 0 to 1e6.
  /// - Throws: `invalidArgument`.
  public init(iota: Double = 0, omega: Double = 0) throws(FisherError) {
    try require(iota >= 0 && iota < 1, "iota", expected: "a number in [0, 1)", found: iota)
    try require(omega >= 0 && omega <= 1e6, "omega", expected: "a number from 0 to 1e6", found: omega)
    self.init(known: iota, omega)
  }

  /// Of numbers that are known to be in their ranges.
  init(known iota: Double, _ omega: Double) {
    self.iota = iota
    self.omega = omega
  }

  /// The width ω by which a metric measures a hard relu.
  public static let metricOmega = 1.0

  public var parameters: [String: Double] { ["iota": iota, "omega": omega] }
  public init?(parameters: [String: Double]) {
    guard parameters.count == 2, let iota = parameters["iota"], let omega = parameters["omega"] else { return nil }
    do { try self.init(iota: iota, omega: omega) } catch { return nil }
  }

  public var name: String { "relu" }
  /// Such as "relu" for the hard one, "relu(ω=1.0)".
  public var description: String {
    let parameters = (iota == 0 ? [] : ["ι=\(iota)"]) + (omega == 0 ? [] : ["ω=\(omega)"])
    return parameters.isEmpty ? name : "\(name)(\(parameters.joined(separator: ", ")))"
  }
  public var output: NeuronOutput { .gaussian }
  public var metricForm: any Activation { omega == 0 ? Relu(known: iota, Self.metricOmega) : self }

  public func value(at z: Double) -> Double {
    let hard = z < 0 ? iota * z : z
    if omega == 0 { return hard }
    return hard + omega * log1p(exp(-abs((1 - iota) * z / omega)))
  }

  /// ι + (1 − ι) σ((1 − ι)z/ω); in the limit ω → 0 a step, with f'(0) = ι.
  public func derivative(at z: Double) -> Double {
    if omega == 0 { return z > 0 ? 1 : iota }
    return iota + (1 - iota) * Sigm().value(at: (1 - iota) * z / omega)
  }

  public var _kernel: _KernelActivation? { .relu(iota: iota, omega: omega) }
}
