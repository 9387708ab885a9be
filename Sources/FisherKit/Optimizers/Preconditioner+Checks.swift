extension Preconditioner {
  /// Whether what was observed is of the shape that its site has.
  /// - Throws: `invalidArgument` that names what is not.
  func check(_ observed: borrowing Observation<Scalar>, at site: Site) throws(FisherError) {
    func mistake(_ what: String, _ expected: String, _ found: String) -> FisherError {
      .invalidArgument(what: "\(site.name): \(what)", expected: expected, found: found)
    }
    let columns = observed.inputs.columns
    let expected: Int? =
      switch site.subsystem.form {
      case .channels: site.neurons
      case .windows: (site.order - 1) * site.neurons + 1
      case .shared, .neurons, .softmax, .coupled, .twoLayers: nil
      }
    guard columns == expected ?? site.order || expected == nil && columns == site.order - 1 else {
      throw mistake(
        "inputs",
        expected.map { "\($0) columns" } ?? "\(site.order) columns, or \(site.order - 1) without the bias",
        "\(columns)")
    }
    guard observed.preactivations.columns == site.neurons else {
      throw mistake("pre-activations", "\(site.neurons) columns", "\(observed.preactivations.columns)")
    }
    guard observed.positions == site.positions else {
      throw mistake("positions", "\(site.positions)", "\(observed.positions)")
    }
    guard observed.rows > 0, observed.samples <= batchSize else {
      throw mistake("samples", "1 to \(batchSize)", "\(observed.samples)")
    }
    guard let above = site.neuronsAbove else { return }
    guard observed.preactivationsAbove.rows == observed.rows, observed.preactivationsAbove.columns == above else {
      throw mistake(
        "pre-activations of the layer above", "\(observed.rows) × \(above)",
        "\(observed.preactivationsAbove.rows) × \(observed.preactivationsAbove.columns)")
    }
    guard observed.weightsAbove.rows == above, observed.weightsAbove.columns == site.neurons + 1 else {
      throw mistake(
        "weights of the layer above", "\(above) × \(site.neurons + 1)",
        "\(observed.weightsAbove.rows) × \(observed.weightsAbove.columns)")
    }
  }
}
