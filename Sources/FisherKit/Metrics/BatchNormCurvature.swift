/// The 2×2 blocks E[(x̂, 1)(x̂, 1)ᵀ] of batch normalisation over the samples since the last refresh, damped by λ and
/// inverted in closed form:
///
///     | E[x̂²] + λ   E[x̂] |⁻¹    1  | 1 + λ    −E[x̂]     |
///     | E[x̂]        1 + λ |   = ―― | −E[x̂]   E[x̂²] + λ |
///                               det
///
/// Memory: 5 doubles a channel. Cost of a mini-batch of n: 3 n·channels flops; of a refresh 8, of a step 6 a channel.
final class BatchNormCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private var window: ChannelSums
  /// The elements of the inverses, 3 a channel: (γ, γ), (γ, β), (β, β).
  private var inverses: [Double]
  private var isReady = false
  let estimate: CurvatureEstimate
  let bytes: Int

  init(for site: CurvatureSite<Scalar>) {
    self.site = site
    window = ChannelSums(channels: site.neurons)
    inverses = Array(repeating: 0, count: 3 * site.neurons)
    bytes = window.bytes + inverses.count * MemoryLayout<Double>.stride
    let m = Double(site.neurons)
    estimate = CurvatureEstimate(
      summary: "\(site.neurons) blocks of order \(site.order)", bytes: bytes,
      refresh: Work(factors: 8 * m, bytes: 40 * m, calls: 1),
      step: Work(solves: 6 * m, bytes: 24 * m + 4 * m * Double(MemoryLayout<Scalar>.stride), calls: 1))
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.value("window", &window)
    try visitor.visit("inverses", &inverses)
    try visitor.visit("is ready", &isReady)
  }

  func observe(_ observed: borrowing Observation<Scalar>) {
    if observed.inputs.isFinite { window.add(observed.inputs) } else { site.report(.samplesLeftOut) }
  }

  func refresh() {
    demand(window.samples > 0, "a refresh needs at least one observation")
    // (the sum over positions, for what is 1 as for x̂)
    let count = Double(site.site.positions) * site.positionFactor
    for channel in 0..<site.neurons {
      let (square, mean) = (count * window.meanOfSquares(channel), count * window.mean(channel))
      var lambda = site.lambda(trace: site.order == 2 ? square + count : square, order: site.order)
      var isInverted = invert(channel, square: square, mean: mean, damping: lambda, attempt: 0)
      for attempt in 1...Ladder.raises where !isInverted {
        lambda = max(lambda, Ladder.leastDamping) * 10
        isInverted = invert(channel, square: square, mean: mean, damping: lambda, attempt: attempt)
        if isInverted { site.report(.raisedDamping, neuron: channel, damping: lambda) }
      }
      if !isInverted {
        (inverses[3 * channel], inverses[3 * channel + 1], inverses[3 * channel + 2]) = (1, 0, 1)
        site.report(.plainGradient, neuron: channel)
      }
    }
    window.removeAll()
    isReady = true
  }

  private func isBroken(_ channel: Int, _ attempt: Int) -> Bool {
    site.incidents.faults?.breaks(layer: site.name, neuron: channel, attempt: attempt) ?? false
  }

  /// The pivots of a factorisation, judged as the kernels do.
  private func invert(_ channel: Int, square: Double, mean: Double, damping: Double, attempt: Int) -> Bool {
    if site.order == 1 {
      guard square + damping > 0, (square + damping).isFinite, !isBroken(channel, attempt) else { return false }
      (inverses[3 * channel], inverses[3 * channel + 1], inverses[3 * channel + 2]) = (1 / (square + damping), 0, 0)
      return true
    }
    let (first, last) = (square + damping, Double(site.site.positions) * site.positionFactor + damping)
    let pivot = last - mean * mean / first
    guard first > 0, first.isFinite, pivot > last * 0x1p-53,
      !isBroken(channel, attempt)
    else { return false }
    inverses[3 * channel] = (1 + mean * mean / (first * pivot)) / first
    inverses[3 * channel + 1] = -mean / (first * pivot)
    inverses[3 * channel + 2] = 1 / pivot
    return true
  }

  func precondition(_ gradient: inout Matrix<Scalar>) {
    demand(isReady, "\(site.name): the curvature was not refreshed, or its factorisation failed")
    gradient.multiplyPairs(by: inverses)
  }
}

extension Matrix {
  /// Row i (a, b) to (A₀a + A₁b, A₁a + A₂b) with the three elements A of `blocks` from 3i on.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func multiplyPairs(by blocks: [Double]) {
    demand(columns <= 2 && blocks.count == 3 * rows, "expected a block for each row of two")
    if columns == 1 {
      for i in 0..<rows {
        let row = storage.base + i * stride
        row[0] = Scalar(blocks[3 * i] * Double(row[0]))
      }
      return
    }
    for i in 0..<rows {
      let row = storage.base + i * stride
      let (a, b) = (Double(row[0]), Double(row[1]))
      row[0] = Scalar(blocks[3 * i] * a + blocks[3 * i + 1] * b)
      row[1] = Scalar(blocks[3 * i + 1] * a + blocks[3 * i + 2] * b)
    }
  }
}
