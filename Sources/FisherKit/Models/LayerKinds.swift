/// The kinds of layers that are known where a model is written or read: what makes records of layers, and layers of records.
struct LayerKinds<Scalar: KernelScalar> {
  private let kinds: [any KeepableLayer<Scalar>.Type]

  /// - Parameter others: those that are not built in.
  init(others: [any KeepableLayer<Scalar>.Type] = []) { kinds = builtInLayers() + others }

  func kind(_ name: String) -> (any KeepableLayer<Scalar>.Type)? { kinds.first { $0.kind == name } }
}

// MARK: Writing

extension LayerKinds {
  /// What a layer is, and what it is made of.
  func record(
    _ layer: any Layer<Scalar>, at: String? = nil, depth: Int = 1, place: String
  ) throws(DataError) -> LayerRecord {
    guard let layer = layer as? any KeepableLayer<Scalar> else {
      throw DataError(place, expected: "a layer that can be kept (KeepableLayer)", found: "\(type(of: layer))")
    }
    let type = type(of: layer)
    if let known = kind(type.kind), known != type {
      throw DataError(
        place, expected: "a kind of layer with a name of its own", found: "\(type) called \(shortText(type.kind))")
    }
    guard depth <= LayerRecord.maximumDepth else {
      throw DataError(place, expected: "layers at most \(LayerRecord.maximumDepth) deep in each other", found: "more")
    }
    let settings: [String: JSONValue]
    do {
      let own: any Encodable = try layer.settings(place: place)
      settings = try LayerRecord.values(of: own)
    } catch {
      throw error as? DataError
        ?? DataError(place, expected: "settings that JSON can have", found: shortText("\(error)"))
    }
    if let name = settings.keys.sorted().first(where: LayerRecord.Name.all.contains) {
      throw DataError(place, expected: "settings with names of their own", found: name)
    }
    var parts: [LayerRecord] = []
    for part in layer.keptParts {
      parts.append(
        try record(part.layer, at: part.place, depth: depth + 1, place: "\(place), \(part.place)"))
    }
    return LayerRecord(
      kind: type.kind, name: parts.isEmpty && layer.parameters.count == 1 ? layer.parameters[0].name : nil,
      inputExtent: layer.inputExtent, outputExtent: layer.outputExtent, at: at, settings: settings, parts: parts)
  }

  /// The numbers of a layer and of its parts.
  func tensors(
    of layer: any Layer<Scalar>, _ record: LayerRecord, prefix: String, place: String
  ) throws(DataError) -> [Safetensors.Tensor] {
    guard let layer = layer as? any KeepableLayer<Scalar> else { return [] }
    var tensors = KeptTensors<Scalar>(
      type(of: layer).tensors(of: record), prefix: prefix, source: nil, place: place)
    try layer.exchange(&tensors)
    var all = tensors.written
    for (part, inner) in zip(layer.keptParts, record.parts) {
      all += try self.tensors(
        of: part.layer, inner, prefix: "\(prefix).\(part.place)", place: "\(place), \(part.place)")
    }
    return all
  }
}

// MARK: Reading

extension LayerKinds {
  /// The names and shapes of a layer's tensors and those of its parts, the names in full; `nil` for shapes of a kind that is
  /// not known, whose names begin so.
  func tensors(of record: LayerRecord, prefix: String) -> [(prefix: String, tensors: [LayerRecord.Tensor]?)] {
    let own = kind(record.kind)?.tensors(of: record).map {
      LayerRecord.Tensor("\(prefix).\($0.name)", $0.shape, isLearned: $0.isLearned)
    }
    return [(prefix, own)]
      + record.parts.flatMap { tensors(of: $0, prefix: "\(prefix).\($0.at ?? "")") }
  }

  /// A layer with the numbers of a file, whose shapes are as they should be.
  /// - Parameter activations: those that are not built in.
  func layer(
    _ record: LayerRecord, prefix: String, _ tensors: [String: Safetensors.Tensor], activations: [any Activation],
    place: String
  ) throws -> any Layer<Scalar> {
    guard let kind = kind(record.kind) else {
      throw DataError(
        place, expected: "a kind of layer that is known (\(kinds.map { $0.kind }.joined(separator: ", ")))",
        found: shortText(record.kind))
    }
    let parts = try record.parts.map { part in
      try layer(
        part, prefix: "\(prefix).\(part.at ?? "")", tensors, activations: activations,
        place: "\(place), \(shortText(part.at ?? "part"))")
    }
    do {
      let made = try make(
        kind, KeptLayer(record: record, place: place, parts: parts, activations: activations))
      var source = KeptTensors<Scalar>(
        kind.tensors(of: record), prefix: prefix, source: tensors, place: place)
      try made.exchange(&source)
      return made
    } catch FisherError.invalidArgument(let what, let expected, let found) {
      throw DataError(place, expected: "\(what): \(expected)", found: found)
    }
  }

  private func make<L: KeepableLayer<Scalar>>(_: L.Type, _ kept: KeptLayer<Scalar>) throws -> L {
    let record = kept.record
    let layer = try L(kept, settings: try record.settings(as: L.Settings.self, place: kept.place))
    guard layer.inputExtent == record.inputExtent, layer.outputExtent == record.outputExtent else {
      throw DataError(
        kept.place, expected: "a \(record.kind) layer from \(layer.inputExtent) to \(layer.outputExtent)",
        found: "\(record.inputExtent) to \(record.outputExtent)")
    }
    let places = layer.keptParts.map(\.place)
    guard places == record.parts.map({ $0.at ?? "" }) else {
      throw DataError(
        kept.place, expected: "parts \(places.joined(separator: ", "))",
        found: shortText(record.parts.map { $0.at ?? "none" }.joined(separator: ", ")))
    }
    return layer
  }

  /// A layer in a few words, such as "dense, 784 to 80, relu (iota 0.0, omega 0.0), measured as non-linear, …".
  func summary(of record: LayerRecord) -> String {
    func words<L: KeepableLayer<Scalar>>(_: L.Type) -> [String]? {
      (try? record.settings(as: L.Settings.self, place: "")).map { L.summary(of: record, settings: $0) }
    }
    let known = kind(record.kind).flatMap { words($0) }
    return ([record.kind] + (known ?? record.plainSummary)).joined(separator: ", ")
  }
}
