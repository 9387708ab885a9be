/// y = x + F(x): a layer, or layers in a ``Sequential``, around which its inputs pass (He et al. 2016).
///
/// Memory beside F: the derivatives of the outputs once more. Cost: an addition for each output, forward and backward.
public final class Residual<Scalar: KernelScalar>: Layer {
  /// F
  public let body: any Layer<Scalar>
  public let parameters: [Parameter<Scalar>]
  /// ∂L/∂y, which F may overwrite.
  private var outputDelta: Matrix<Scalar>

  /// - Throws: `invalidArgument` where what comes out of F is not of the extent of what goes in.
  public init(_ body: any Layer<Scalar>) throws(FisherError) {
    guard body.inputExtent == body.outputExtent else {
      throw .invalidArgument(
        what: "residual around \(body.name)", expected: "outputs like its inputs, \(body.inputExtent)",
        found: "\(body.outputExtent)")
    }
    self.body = body
    parameters = body.parameters
    outputDelta = try Matrix(rows: 0, columns: body.outputs)
  }

  public var inputExtent: Extent { body.inputExtent }
  public var outputExtent: Extent { body.outputExtent }
  public var takesBias: Bool { body.takesBias }
  public var bytes: Int { stateBytes }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.child("body", body)
    visitor.scratch("derivatives of the outputs", outputDelta)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    try body.prepare(batchCapacity: capacity)
    let what = "residual around \(body.name): derivatives of the outputs"
    outputDelta = try Matrix(rows: try outputExtent.rows(samples: capacity, what), columns: outputs, what: what)
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    body.forward(input, into: &output)
    output.add(input, columns: outputs)
  }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    body.evaluate(input, into: &output)
    output.add(input, columns: outputs)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    outputDelta.copy(from: delta)
    body.backward(&delta, input: input)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    body.propagate(delta, into: &inputDelta)
    inputDelta.add(outputDelta, columns: inputs)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    try self.body.observe(input: input, body)
  }
}

// MARK: In a file

extension Residual: KeepableLayer {
  public static var kind: String { "residual" }
  public var keptParts: [(place: String, layer: any Layer<Scalar>)] { [("body", body)] }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: NoSettings) throws {
    try self.init(try kept.onlyPart())
  }
}
