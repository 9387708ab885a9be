/// All positions of a sample behind each other: what a dense layer takes of images or series.
///
/// Cost of a mini-batch: a copy of its numbers, forward and backward. Memory: none.
public final class Flatten<Scalar: KernelScalar>: Layer {
  public let inputExtent: Extent
  public let outputExtent: Extent

  /// - Throws: `invalidArgument` for an extent without channels or positions.
  public init(_ extent: Extent) throws(FisherError) {
    try extent.validate("flattened: channels")
    inputExtent = extent
    outputExtent = Extent(channels: extent.channels * extent.positions)
  }

  public var takesBias: Bool { false }
  public var parameters: [Parameter<Scalar>] { [] }
  public var bytes: Int { 0 }

  public func visit(_ visitor: StateVisitor) {}
  public func prepare(batchCapacity capacity: Int) throws(FisherError) {}

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows / inputExtent.positions)
    output.setToFlattened(input, inputExtent)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {}

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows * inputExtent.positions)
    inputDelta.setToUnflattened(delta, inputExtent)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}
}

extension Matrix {
  /// Row s of self = the rows of sample s, one behind the other.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToFlattened(_ other: borrowing Matrix, _ extent: Extent) {
    demand(
      other.rows == rows * extent.positions && other.columns >= extent.channels
        && columns >= extent.channels * extent.positions, "\(other.shape) flattened to \(shape)")
    for r in 0..<other.rows {
      let to = storage.base + r / extent.positions * stride + r % extent.positions * extent.channels
      to.update(from: other.storage.base + r * other.stride, count: extent.channels)
    }
  }

  /// The way back.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToUnflattened(_ other: borrowing Matrix, _ extent: Extent) {
    demand(
      rows == other.rows * extent.positions && columns >= extent.channels
        && other.columns >= extent.channels * extent.positions, "\(other.shape) unflattened to \(shape)")
    for r in 0..<rows {
      let from = other.storage.base + r / extent.positions * other.stride + r % extent.positions * extent.channels
      (storage.base + r * stride).update(from: from, count: extent.channels)
    }
  }
}

// MARK: In a file

extension Flatten: KeepableLayer {
  public static var kind: String { "flatten" }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: NoSettings) throws {
    try self.init(kept.record.inputExtent)
  }
}

// MARK: In a description

extension Flatten: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    model.image = nil
    return try Flatten(model.extent)
  }
}
