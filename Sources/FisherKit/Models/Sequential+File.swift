extension Sequential {
  /// Writes the network to a safetensors file, from which ``init(contentsOf:batchCapacity:activations:layers:)`` makes the same
  /// one again; other libraries find the weights in it as PyTorch has them. See ``ModelFile``.
  ///
  /// The file is there whole or not at all; an older one of that name stays until then. It takes a copy of the weights.
  /// - Throws: ``OutputError`` when the file cannot be written; ``DataError`` for weights that are not finite, and for
  ///   layers, subsystems and activations that could not be made again.
  public func write(to path: String, notes: ModelNotes = ModelNotes()) throws {
    try safetensors(notes: notes, place: path).write(to: path)
  }

  /// Writes into a file that is open. `place` names it in an error.
  package func write(to file: WholeFile, place: String, notes: ModelNotes) throws {
    try safetensors(notes: notes, place: place).write(to: file, place: place)
  }

  /// Makes the network again that ``write(to:notes:)`` wrote. In the same precision its losses are the same to the last
  /// digit; from another precision its weights are rounded.
  /// - Parameters:
  ///   - batchCapacity: the most samples that can be passed through at a time.
  ///   - activations: one of each kind in it that is not built in, with any parameters.
  ///   - layers: the kinds of layers in it that are not built in.
  /// - Throws: ``DataError`` that says what the file holds instead, ``FisherError`` where memory does not suffice.
  public convenience init(
    contentsOf path: String, batchCapacity: Int, activations: [any Activation] = [],
    layers: [any KeepableLayer<Scalar>.Type] = []
  ) throws {
    try self.init(
      try ModelFile(path: path), batchCapacity: batchCapacity, activations: activations, layers: layers)
  }

  /// The network of a file that was read.
  /// - Throws: ``DataError`` where the file cannot be made a network of, ``FisherError`` where memory does not suffice.
  public convenience init(
    _ file: ModelFile, batchCapacity: Int, activations: [any Activation] = [],
    layers: [any KeepableLayer<Scalar>.Type] = []
  ) throws {
    do {
      try self.init(try file.makeLayers(activations, layers), batchCapacity: batchCapacity)
      for index in file.pairs { try pairLayers(at: index) }
    } catch FisherError.invalidArgument(let what, let expected, let found) {
      throw DataError(file.path, expected: "\(what): \(expected)", found: found)
    }
  }

  func safetensors(notes: ModelNotes, place: String) throws(DataError) -> Safetensors {
    let architecture = try Architecture(self, notes: notes, place: place)
    let kinds = LayerKinds<Scalar>()
    var tensors: [Safetensors.Tensor] = []
    for (index, layer) in layers.enumerated() {
      tensors += try kinds.tensors(
        of: layer, architecture.layers[index], prefix: "layers.\(index)", place: "\(place): layer \(index + 1)")
    }
    // (the weights lie as PyTorch has them, which is what readers of other libraries take this word for)
    return Safetensors(tensors: tensors, metadata: [Architecture.key: architecture.json(), "format": "pt"])
  }
}

// MARK: In the file of a network that it is a part of

extension Sequential: KeepableLayer {
  public struct Settings: Codable {
    /// Layers, counted from 0, that are one subsystem with the one above; `nil` for none.
    var pairs: [Int]?
  }

  public static var kind: String { "sequential" }
  public func settings(place: String) -> Settings { Settings(pairs: pairs.isEmpty ? nil : pairs) }
  public var keptParts: [(place: String, layer: any Layer<Scalar>)] {
    layers.enumerated().map { ("layers.\($0)", $1) }
  }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    try self.init(kept.parts)
    for index in settings.pairs ?? [] { try pairLayers(at: index) }
  }
}
