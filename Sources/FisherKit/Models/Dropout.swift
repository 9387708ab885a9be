/// Dropout (Srivastava et al. 2014), inverted: in training each number is 0 with probability p, and 1/(1 − p) times itself
/// otherwise, so that its mean stays; in evaluation all pass as they are.
///
/// The mask of the k-th training pass is made of the seed and k alone: the same in every run, and a network from a file goes
/// on with the masks that would have come next.
///
/// Cost of a mini-batch of n rows: n·channels draws and multiplications forward, multiplications backward. Memory: capacity ·
/// channels elements.
public final class Dropout<Scalar: KernelScalar>: Layer {
  public let inputExtent: Extent
  /// p
  public let rate: Double
  public let seed: UInt64
  /// Training passes so far.
  public private(set) var passes: UInt64
  /// 0 or 1/(1 − p) for each number of the last training pass.
  private var mask: Matrix<Scalar>

  /// - Parameters:
  ///   - seed: of masks; two layers of a network are to have different ones.
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no channels or positions, or `rate` is not in [0, 1).
  public convenience init(
    channels: Int, rate: Double, seed: UInt64 = 0, positions: Int = 1
  ) throws(FisherError) {
    try self.init(
      Extent(channels: channels, positions: positions), rate: rate, seed: seed, passes: 0)
  }

  private init(_ extent: Extent, rate: Double, seed: UInt64, passes: UInt64) throws(FisherError) {
    try extent.validate("dropout: channels")
    try require(rate >= 0 && rate < 1, "dropout rate", expected: "a number in [0, 1)", found: rate)
    (inputExtent, self.rate, self.seed, self.passes) = (extent, rate, seed, passes)
    mask = try Matrix(rows: 0, columns: extent.channels)
  }

  public var outputExtent: Extent { inputExtent }
  public var takesBias: Bool { false }
  public var parameters: [Parameter<Scalar>] { [] }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["rate": "\(rate)", "seed": "\(seed)"] }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("passes", &passes)
    visitor.scratch("mask", mask)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    let what = "dropout: mask"
    mask = try Matrix(
      rows: try inputExtent.rows(samples: capacity, what), columns: inputs, what: what)
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    passes &+= 1
    mask.resize(rows: input.rows)
    // (never the plain seed, of which weights may have been made)
    mask.fillMask(rate: rate, seed: seed ^ (passes &* 0xD6E8_FEB8_6659_FD93))
    evaluate(input, into: &output)
    output.multiply(by: mask)
  }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows)
    output.copyColumns(0..<inputs, of: input, to: 0)
  }

  /// Leaves ∂L/∂input in delta.
  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    delta.multiply(by: mask)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.copy(from: delta)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}
}

extension Matrix {
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func fillMask(rate: Double, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let kept = Scalar(1 / (1 - rate))
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns { row[j] = generator.uniform() < rate ? 0 : kept }
    }
  }

  /// The first columns, element by element.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func multiply(by mask: borrowing Matrix) {
    demand(rows == mask.rows && columns >= mask.columns, "matrices of another shape")
    for i in 0..<rows {
      let (row, factors) = (storage.base + i * stride, mask.storage.base + i * mask.stride)
      for j in 0..<mask.columns { row[j] *= factors[j] }
    }
  }
}

// MARK: In a file

extension Dropout: KeepableLayer {
  public struct Settings: Codable {
    var rate: Double
    var seed: UInt64
    var passes: UInt64
  }

  public static var kind: String { "dropout" }
  public func settings(place: String) -> Settings {
    Settings(rate: rate, seed: seed, passes: passes)
  }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    try self.init(
      kept.record.inputExtent, rate: settings.rate, seed: settings.seed, passes: settings.passes)
  }
}

// MARK: In a description

extension Dropout: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    guard let rate = try description.number("rate") else {
      throw DataError(description.place, expected: "rate, a number in [0, 1)", found: "none")
    }
    return try Dropout(
      channels: model.extent.channels, rate: rate, seed: model.generator.next(), positions: model.extent.positions)
  }
}
