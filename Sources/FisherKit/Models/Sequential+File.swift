extension Sequential {
  /// Writes the network to a safetensors file, from which ``init(contentsOf:batchCapacity:activations:)`` makes the same
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
  /// - Throws: ``DataError`` that says what the file holds instead, ``FisherError`` where memory does not suffice.
  public convenience init(
    contentsOf path: String, batchCapacity: Int, activations: [any Activation] = []
  ) throws {
    try self.init(try ModelFile(path: path), batchCapacity: batchCapacity, activations: activations)
  }

  /// The network of a file that was read.
  /// - Throws: ``DataError`` where the file cannot be made a network of, ``FisherError`` where memory does not suffice.
  public convenience init(_ file: ModelFile, batchCapacity: Int, activations: [any Activation] = []) throws {
    do {
      try self.init(try file.makeLayers(activations), batchCapacity: batchCapacity)
      for index in file.pairs { try pairLayers(at: index) }
    } catch FisherError.invalidArgument(let what, let expected, let found) {
      throw DataError(file.path, expected: "\(what): \(expected)", found: found)
    }
  }

  func safetensors(notes: ModelNotes, place: String) throws(DataError) -> Safetensors {
    let architecture = try Architecture(self, notes: notes, place: place)
    let tensors = layers.enumerated().flatMap { LayerRecord.tensors(of: $1, index: $0) }
    // (the weights lie as PyTorch has them, which is what readers of other libraries take this word for)
    return Safetensors(tensors: tensors, metadata: [Architecture.key: architecture.json(), "format": "pt"])
  }
}
