/// What a subsystem's relative Fisher matrix is made of: its inputs X̃ and its pre-activations z in one pass, a row for each
/// position of each sample.
///
/// Positions are subsystems of their own with one W, each with its own reference. Given their references the outputs are
/// independent, cross terms vanish as in section 3, and the matrix of W is the sum over them:
///
///     Ĝ = (1/n) Σ_s Σ_t A(z_st) ⊗ x̃_st x̃_stᵀ,  n samples of t = 1 … positions
///
/// Everything here averages over rows, and so takes the rows of X̃ times √positions, the ``scale``: that is said here once.
///
/// It is a view of matrices that belong to the pass, and lasts as long as the call that it is handed to: it cannot be kept
/// or copied.
public struct Observation<Scalar: KernelScalar>: ~Copyable {
  /// X̃ (rows, d), the bias column last; or without it, where a curvature says that it adds one:
  /// ``Curvature/addsBias``. Of a convolution without rows: its patches are as many as positions, and are made where they
  /// are asked for, by ``copyInputs(rows:to:)`` or ``withInputs(_:)``.
  public let inputs: Matrix<Scalar>
  /// Where the rows of X̃ are patches: the images, and which patches of them.
  let images: Matrix<Scalar>
  let patches: Patches?
  /// z (rows, m).
  public let preactivations: Matrix<Scalar>
  /// Rows a sample has.
  public let positions: Int
  /// Of a hidden layer that is seen through the one above it (``TwoLayers``), the weights C (D_y, m + 1) of that one, bias
  /// last, and its pre-activations (rows, D_y); both without rows where there is none.
  public let weightsAbove: Matrix<Scalar>
  public let preactivationsAbove: Matrix<Scalar>

  /// Hands an observation of these matrices to `body`.
  ///
  /// The matrices' rows are to be as many, those of whole samples: anything else ends the process with words.
  public static func with<R, E: Error>(
    inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>, positions: Int = 1,
    _ body: (borrowing Observation) throws(E) -> R
  ) throws(E) -> R {
    try body(Observation(inputs: inputs, preactivations: preactivations, positions: positions))
  }

  /// The same of a hidden layer that is seen through the one above.
  public static func with<R, E: Error>(
    inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>, positions: Int = 1,
    weightsAbove: borrowing Matrix<Scalar>, preactivationsAbove: borrowing Matrix<Scalar>,
    _ body: (borrowing Observation) throws(E) -> R
  ) throws(E) -> R {
    try body(
      Observation(
        inputs: inputs, preactivations: preactivations, positions: positions, weightsAbove: weightsAbove,
        preactivationsAbove: preactivationsAbove))
  }

  /// A view only, for as long as somebody keeps the matrices.
  init(inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>, positions: Int = 1) {
    let none = AlignedBuffer<Scalar>.nothing
    self.init(
      inputs: inputs, preactivations: preactivations, positions: positions,
      weightsAbove: Matrix(viewing: none, rows: 0, columns: 0),
      preactivationsAbove: Matrix(viewing: none, rows: 0, columns: 0))
  }

  init(
    inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>, positions: Int = 1,
    weightsAbove: borrowing Matrix<Scalar>, preactivationsAbove: borrowing Matrix<Scalar>
  ) {
    demand(
      inputs.rows == preactivations.rows, "\(inputs.rows) rows of inputs, \(preactivations.rows) of pre-activations")
    demand(
      positions > 0 && inputs.rows % positions == 0, "\(inputs.rows) rows are no samples of \(positions) positions")
    demand(
      preactivationsAbove.rows == 0 || preactivationsAbove.rows == inputs.rows,
      "\(inputs.rows) rows, and \(preactivationsAbove.rows) in the layer above")
    self.inputs = Matrix(viewing: inputs)
    images = Matrix(viewing: AlignedBuffer<Scalar>.nothing, rows: 0, columns: 0)
    patches = nil
    self.preactivations = Matrix(viewing: preactivations)
    self.positions = positions
    self.weightsAbove = Matrix(viewing: weightsAbove)
    self.preactivationsAbove = Matrix(viewing: preactivationsAbove)
  }

  /// Of the patches of images, a row of X̃ for each of their outputs.
  init(patches: Patches, of images: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>) {
    let none = AlignedBuffer<Scalar>.nothing
    positions = patches.shape.window.outputs.count
    demand(
      preactivations.rows % positions == 0, "\(preactivations.rows) rows are no samples of \(positions) positions")
    self.images = Matrix(viewing: images)
    self.patches = patches
    self.preactivations = Matrix(viewing: preactivations)
    inputs = Matrix(viewing: none, rows: 0, columns: patches.shape.order)
    weightsAbove = Matrix(viewing: none, rows: 0, columns: 0)
    preactivationsAbove = Matrix(viewing: none, rows: 0, columns: 0)
  }

  public var rows: Int { preactivations.rows }
  /// n
  public var samples: Int { preactivations.rows / positions }

  /// The rows of `matrix` from `first` on = these rows of X̃.
  public func copyInputs(rows places: Span<Int>, to matrix: inout Matrix<Scalar>, from first: Int = 0) {
    if let patches {
      matrix.setToPatches(
        of: images, ofFeatures: patches.takesFeatures, rows: places, group: patches.group, patches.shape, from: first)
      return
    }
    for k in places.indices { matrix.copyRow(places[k], of: inputs, to: first + k) }
  }

  /// At most so many of its rows, evenly taken.
  func places(atMost count: Int) -> [Int] {
    let taken = min(count, rows)
    return (0..<taken).map { $0 * rows / taken }
  }

  /// These rows of X̃.
  func inputs(at places: [Int], order: Int) throws(FisherError) -> Matrix<Scalar> {
    var taken = try Matrix<Scalar>(rows: places.count, columns: order, what: "inputs of \(places.count) rows")
    copyInputs(rows: places.span, to: &taken)
    return taken
  }

  /// The same rows of z.
  func preactivations(at places: [Int]) throws(FisherError) -> Matrix<Scalar> {
    var taken = try Matrix<Scalar>(
      rows: places.count, columns: preactivations.columns, what: "pre-activations of \(places.count) rows")
    for k in places.indices { taken.copyRow(places[k], of: preactivations, to: k) }
    return taken
  }

  /// Whether all of it is numbers, but for the pre-activations.
  var hasFiniteInputs: Bool { inputs.isFinite && images.isFinite }

  /// Hands over all of X̃ (rows, d): where its rows are patches it is made for that.
  public func withInputs<R>(
    _ body: (borrowing Matrix<Scalar>) throws(FisherError) -> R
  ) throws(FisherError) -> R {
    guard let patches else { return try body(inputs) }
    return try body(try inputs(at: Array(0..<rows), order: patches.shape.order))
  }

  /// What rows of X̃ are multiplied by, so that an average over rows is the average over samples of the sum over positions.
  public var scale: Double { Self.scale(positions: positions) }

  static func scale(positions: Int) -> Double { Double(positions).squareRoot() }

  /// The same with the layer above.
  func withLayerAbove<R, E: Error>(
    weights: borrowing Matrix<Scalar>, preactivations above: borrowing Matrix<Scalar>,
    _ body: (borrowing Observation) throws(E) -> R
  ) throws(E) -> R {
    try body(
      Observation(
        inputs: inputs, preactivations: preactivations, positions: positions, weightsAbove: weights,
        preactivationsAbove: above))
  }
}

extension AlignedBuffer {
  /// Where a view of no elements looks.
  static var nothing: UnsafePointer<Element> { UnsafePointer(bitPattern: alignment)! }
}

/// Which patches of images the rows of X̃ are.
struct Patches {
  var shape: ConvolutionShape
  var group: Int
  /// Whether a sample's image is a row of features.
  var takesFeatures: Bool
}
