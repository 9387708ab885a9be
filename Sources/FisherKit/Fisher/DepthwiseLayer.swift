/// A depthwise convolution: channel i sees a window of its own channel alone, and has the block Σ_t ν(z_it) p̃_it p̃_itᵀ of
/// its patches, with the ν of the layer that it would be otherwise.
public struct DepthwiseLayer: Subsystem {
  /// What says ν.
  public let layer: any Subsystem

  public init(_ layer: any Subsystem) { self.layer = layer }

  public var description: String { "depthwise \(layer)" }
  public var form: Form { .windows }
  public var hasNormalOutputs: Bool { layer.hasNormalOutputs }

  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    layer.nu(&nu, preactivations: z)
  }

  public func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence {
    try layer.divergence(before: z, after: new)
  }
}

extension Matrix {
  /// What channel i of m sees in a row of X̃ (rows, terms · m + 1), in which the channels of a position are behind each other:
  /// element j of its d = terms + 1.
  func window(_ row: Int, _ j: Int, ofChannel i: Int, of m: Int) -> Scalar {
    storage.base[row * stride + (j * m + 1 < columns ? j * m + i : columns - 1)]
  }
}

/// A window of one channel, and the triangle of a block, in double precision.
struct WindowGramRoom {
  fileprivate var window: [Double]
  fileprivate var sums: [Double]

  init(order d: Int) {
    (window, sums) = (Array(repeating: 0, count: d), Array(repeating: 0, count: d * (d + 1) / 2))
  }

  var bytes: Int { Self.bytes(order: window.count) }
  static func bytes(order d: Int) -> Int { (d + d * (d + 1) / 2) * MemoryLayout<Double>.stride }
}

extension BlockBatch {
  /// Blocks `range` = α Σ_s ν_i(s) p̃_is p̃_isᵀ, of X̃ (n, terms · m + 1) and ν (n,m). Cost n d(d+1) flops a block.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func setToWindowGram(
    inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>, blocks range: Range<Int>, alpha: Double,
    room: inout WindowGramRoom
  ) {
    let (m, d) = (nu.columns, order)
    demand(x.rows == nu.rows && x.columns == (d - 1) * m + 1, "windows of another shape")
    for i in range {
      for k in room.sums.indices { room.sums[k] = 0 }
      for s in 0..<x.rows {
        for j in 0..<d { room.window[j] = Double(x.window(s, j, ofChannel: i, of: m)) }
        let weight = alpha * Double(nu[s, i])
        var k = 0
        for a in 0..<d {
          let scaled = weight * room.window[a]
          for b in 0...a {
            room.sums[k] += scaled * room.window[b]
            k += 1
          }
        }
      }
      var k = 0
      for a in 0..<d {
        for b in 0...a {
          self[i, a, b] = Scalar(room.sums[k])
          k += 1
        }
      }
    }
  }
}

extension NeuronBlocks {
  /// The blocks of a depthwise convolution over X̃ (n, terms · m + 1), scaled for its positions.
  convenience init(windows x: borrowing Matrix<Scalar>, exactNu: borrowing Matrix<Double>) throws(FisherError) {
    let m = exactNu.columns
    var blocks = try BlockBatch<Double>(
      count: m, order: (x.columns - 1) / m + 1, what: "blocks of \(m) channels")
    var room = WindowGramRoom(order: blocks.order)
    blocks.setToWindowGram(
      inputs: try x.inDouble(what: "windows of \(x.rows) samples"), nu: exactNu, blocks: 0..<m,
      alpha: 1 / Double(x.rows), room: &room)
    try self.init(blocks: blocks)
  }
}
