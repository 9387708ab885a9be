/// max(z, ιz): slope ι for z < 0 and 1 for z > 0, with a Gaussian output: ν = f'² (eq 8).
///
/// It is ``Relu`` with ω = 0, but its metric is its own: with ι > 0 every sample tells it something, ν ≥ ι² > 0.
public struct LeakyRelu: Activation {
  /// The slope ι ∈ [0, 1) of the negative side, which is f'(0) too.
  public let iota: Double

  public init() { iota = 0.01 }

  /// - Throws: `invalidArgument` where ι is not in [0, 1).
  public init(iota: Double) throws(FisherError) {
    self.iota = try Relu(iota: iota).iota
  }

  public var parameters: [String: Double] { ["iota": iota] }
  public init?(parameters: [String: Double]) {
    guard parameters.count == 1, let iota = parameters["iota"] else { return nil }
    do { try self.init(iota: iota) } catch { return nil }
  }

  public var name: String { "leaky-relu" }
  public var description: String { "leaky-relu(ι=\(iota))" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { Relu(known: iota, 0).value(at: z) }
  public func derivative(at z: Double) -> Double { Relu(known: iota, 0).derivative(at: z) }

  public var _kernel: _KernelActivation? { .relu(iota: iota, omega: 0) }
}
