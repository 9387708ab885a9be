/// A place in a model whose weights have a relative Fisher matrix: a parameter matrix W (m,d), and the subsystem that it
/// belongs to.
public struct Site: Sendable {
  /// For messages, such as "layer 1"; no two sites of a model have the same.
  public var name: String
  /// m
  public var neurons: Int
  /// d, the bias included.
  public var order: Int
  /// What its matrix is.
  public var subsystem: any Subsystem
  /// The rows that a sample has in X̃ and z.
  public var positions: Int
  /// Whether its inputs are patches of images, which are made as they are asked for.
  var hasPatches = false
  /// D_y of the layer above, through which ``TwoLayers`` sees this one; `nil` for any other subsystem.
  public var neuronsAbove: Int?

  public init(
    name: String, neurons: Int, order: Int, subsystem: any Subsystem, positions: Int = 1, neuronsAbove: Int? = nil
  ) {
    self.name = name
    self.neurons = neurons
    self.order = order
    self.subsystem = subsystem
    self.positions = positions
    self.neuronsAbove = neuronsAbove
  }

  /// - Throws: `invalidArgument` that names what no site can have.
  func validate() throws(FisherError) {
    try require(neurons > 0, "\(name): neurons", expected: "1 or more", found: neurons)
    try require(order > 0, "\(name): order", expected: "1 or more, the bias included", found: order)
    try require(positions > 0, "\(name): positions", expected: "1 or more", found: positions)
    if case .twoLayers = subsystem.form {
      guard let neuronsAbove, neuronsAbove > 0 else {
        throw .invalidArgument(
          what: "\(name): neurons above", expected: "those of the layer above, through which it is seen",
          found: neuronsAbove.map { "\($0)" } ?? "none")
      }
    }
  }
}
