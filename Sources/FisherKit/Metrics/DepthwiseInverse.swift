/// A block for each channel of a depthwise convolution, by ``NeuronFactors``: every metric holds them so, since a window of one
/// channel is small.
///
/// Cost of a refresh of n samples: m n d(d+1) + m d³/3 flops, with the inverses md³ for the last term; of a step: 2md².
final class DepthwiseInverse<Scalar: KernelScalar>: WindowInverse {
  /// The most positions that a refresh is made of; of more, a uniform sample.
  private static var windowSamples: Int { 1000 }

  static func curvature(for site: CurvatureSite<Scalar>) throws(FisherError) -> any Curvature<Scalar> {
    let samples = SampleWindow<Scalar>.capacity(for: site, limit: windowSamples)
    var estimate = site.blocksEstimate(
      order: site.order, samples: 1, isInverse: site.inverts(order: site.order))
    let (m, d, n) = (Double(site.neurons), Double(site.order), Double(samples))
    estimate = estimate.adding(
      bytes: sum(ofBytes: site.windowBytes(samples), WindowGramRoom.bytes(order: site.order)),
      refresh: Work(grams: m * n * d * (d + 1)))
    estimate.summary = "\(estimate.summary), \(samples) samples"
    return try WindowedCurvature(
      for: site, windowLimit: windowSamples, estimate: estimate, DepthwiseInverse(for: site))
  }

  private let site: CurvatureSite<Scalar>
  private let factors: NeuronFactors<Scalar>
  /// Of a block while it is summed up.
  private var room: WindowGramRoom

  init(for site: CurvatureSite<Scalar>) throws(FisherError) {
    self.site = site
    room = WindowGramRoom(order: site.order)
    factors = try NeuronFactors(
      for: site, order: site.order, samples: 1, isInverse: site.inverts(order: site.order))
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("factors", factors)
    visitor.scratch("sums of a block", bytes: room.bytes)
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    let alpha = 1 / Double(inputs.rows)
    try factors.refresh(
      form: { made, range, _ in
        made.setToWindowGram(inputs: inputs, nu: weights, blocks: range, alpha: alpha, room: &room)
      },
      formOne: { (block, channel) throws(FisherError) in
        // (a batch of this channel alone)
        var own = try Matrix<Double>(rows: inputs.rows, columns: site.order, what: "windows in double precision")
        var nu = try Matrix<Double>(rows: inputs.rows, columns: 1, what: "ν in double precision")
        for s in 0..<inputs.rows {
          for j in 0..<site.order { own[s, j] = Double(inputs.window(s, j, ofChannel: channel, of: site.neurons)) }
          nu[s, 0] = Double(weights[s, channel])
        }
        block.setToWindowGram(inputs: own, nu: nu, blocks: 0..<1, alpha: alpha, room: &room)
      })
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { factors.precondition(&vectors) }
}
