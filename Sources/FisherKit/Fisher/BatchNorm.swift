/// The scale γ and shift β of batch normalisation, and of any other that has both, per channel: y = γx̂ + β with unit-variance Gaussian output, so each
/// channel has the 2×2 block E[(x̂, 1)(x̂, 1)ᵀ] (eq 8 with parameters (γ, β) and input x̂).
///
/// Each channel has inputs of its own, where those of a layer are one X̃ for all neurons: every metric holds its blocks as
/// they are.
public struct BatchNorm: Subsystem {
  public init() {}

  public var description: String { "batch normalisation" }
  public var form: Form { .channels(hasShift: true) }
  /// Normalised ones, which have unit variance indeed.
  public var hasNormalOutputs: Bool { false }

  /// 1: the outputs have unit variance.
  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    demand(nu.rows == z.rows && nu.columns == z.columns, "ν of another shape")
    nu.fill(with: 1)
  }
}

extension NeuronBlocks {
  /// The blocks over normalised inputs x̂ (n, channels): parameters are (channels, 2), γ first, or without a shift γ alone.
  /// Cost 4 flops an element; memory 3 elements a channel, and 3 doubles.
  convenience init(
    channels x: borrowing Matrix<Scalar>, hasShift: Bool = true, positions: Int = 1
  ) throws(FisherError) {
    demand(x.rows > 0, "expected at least one sample")
    // (the sum over positions, for what is 1 as for x̂)
    let count = Double(positions)
    var sums = ChannelSums(channels: x.columns)
    sums.add(x)
    var blocks = try BlockBatch<Double>(
      count: x.columns, order: hasShift ? 2 : 1, what: "blocks of \(x.columns) channels")
    for channel in 0..<x.columns {
      blocks[channel, 0, 0] = count * sums.meanOfSquares(channel)
      guard hasShift else { continue }
      blocks[channel, 1, 0] = count * sums.mean(channel)
      blocks[channel, 1, 1] = count
    }
    try self.init(blocks: blocks)
  }
}

/// Σ x̂ and Σ x̂² of each channel over any number of samples, in double precision.
struct ChannelSums: StateValue {
  private(set) var samples = 0
  private var sums: [Double]
  private var squares: [Double]

  init(channels: Int) {
    sums = Array(repeating: 0, count: channels)
    squares = sums
  }

  mutating func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("samples", &samples, in: 0...(.max))
    try visitor.visit("sums", &sums)
    try visitor.visit("squares", &squares)
  }

  var bytes: Int { 2 * sums.count * MemoryLayout<Double>.stride }

  func mean(_ channel: Int) -> Double { sums[channel] / Double(samples) }
  func meanOfSquares(_ channel: Int) -> Double { squares[channel] / Double(samples) }

  /// Adds the rows of x̂ (n, channels).
  mutating func add<S: KernelScalar>(_ x: borrowing Matrix<S>) {
    x.addColumns(to: &sums)
    x.addSquares(to: &squares)
    samples += x.rows
  }

  mutating func removeAll() {
    samples = 0
    for i in sums.indices { (sums[i], squares[i]) = (0, 0) }
  }
}
