/// The scale γ and shift β of batch normalisation, per channel: y = γx̂ + β with unit-variance Gaussian output, so each
/// channel has the 2×2 block E[(x̂, 1)(x̂, 1)ᵀ] (eq 8 with parameters (γ, β) and input x̂).
public struct BatchNorm: Sendable, CustomStringConvertible {
  public init() {}

  public var description: String { "batch normalisation" }

  /// The blocks over normalised inputs x̂ (n, channels): parameters are (channels, 2), γ first. Cost 4 flops an element;
  /// memory 3 elements a channel.
  public func rfim<S: KernelScalar>(normalized x: borrowing Matrix<S>) throws(FisherError) -> NeuronBlocks<S> {
    precondition(x.rows > 0, "expected at least one sample")
    var blocks = try BlockBatch<S>(count: x.columns, order: 2, what: "blocks of \(x.columns) channels")
    for channel in 0..<x.columns {
      var (sum, squares) = (0.0, 0.0)
      for s in 0..<x.rows {
        let value = Double(x[s, channel])
        sum += value
        squares += value * value
      }
      blocks[channel, 0, 0] = S(squares / Double(x.rows))
      blocks[channel, 1, 0] = S(sum / Double(x.rows))
      blocks[channel, 1, 1] = 1
    }
    return NeuronBlocks(blocks: blocks)
  }
}
