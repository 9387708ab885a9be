/// What is known of a model beside its layers, for whoever uses it.
public struct ModelNotes: Equatable, Sendable {
  /// What the features, as files of data have them, were divided by: 255 for bytes that became numbers up to 1, 1 for
  /// features as they are; `nil` where that is not known.
  public var featureDivisor: Double?
  /// A name for each class, in the order of the outputs.
  public var classNames: [String]?
  /// What the outputs say; `nil` is what the last layer's subsystem has, and classes where that has no such thing. Of a file
  /// it is known.
  public var distribution: OutputDistribution?

  public init(
    featureDivisor: Double? = nil, classNames: [String]? = nil, distribution: OutputDistribution? = nil
  ) {
    (self.featureDivisor, self.classNames, self.distribution) = (featureDivisor, classNames, distribution)
  }
}

/// A model in a file: a safetensors file with the weights as PyTorch has them, `layers.0.weight` (outputs, inputs) and
/// `layers.0.bias` (outputs), of a batch normalisation `running_mean` and `running_var` too, of layers in layers
/// `layers.0.body.layers.1.weight`, and with all that makes the same network of them in its metadata, under `fisherkit`.
///
/// What each kind of layer puts there it says itself: see ``KeepableLayer``.
public struct ModelFile: Sendable {
  /// The metadata's name for what the network is.
  public static let metadataKey = Architecture.key

  public let path: String
  public let notes: ModelNotes
  /// What the outputs say.
  public let distribution: OutputDistribution
  /// The version of FisherKit that wrote it.
  public let version: String
  /// Whether it was written from a model in double precision.
  public let isDouble: Bool
  private let architecture: Architecture
  private let tensors: [String: Safetensors.Tensor]

  /// Reads a file that ``Sequential/write(to:notes:)`` wrote. Beside the weights it takes what ``Safetensors`` does.
  /// - Throws: what the file holds instead: no model of FisherKit's, one of a later format, tensors that are missing, too
  ///   many or of another shape, numbers that are not finite.
  public init(path: String) throws(DataError) {
    try self.init(try Safetensors(path: path), path: path)
  }

  init(_ file: Safetensors, path: String) throws(DataError) {
    guard let json = file.metadata[Architecture.key] else {
      throw DataError(path, expected: "a model of FisherKit's (\(Architecture.key) in the metadata)", found: "none")
    }
    let architecture = try Architecture(json: json, place: path)
    self.path = path
    self.architecture = architecture
    tensors = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
    version = architecture.version
    distribution = try architecture.outputs?.distribution(place: path) ?? .categorical
    notes = ModelNotes(
      featureDivisor: architecture.features?.dividedBy, classNames: architecture.classes, distribution: distribution)
    isDouble = file.tensors.contains { if case .float64 = $0.elements { true } else { false } }
    try requireTensors(LayerKinds<Float>())
  }

  /// Compares the tensors with those of the layers; of kinds that are not known, any will do.
  private func requireTensors<Scalar: KernelScalar>(_ kinds: LayerKinds<Scalar>) throws(DataError) {
    var expected: Set<String> = []
    var unknown: [String] = []
    for (prefix, shapes) in architecture.tensors(kinds) {
      guard let shapes else {
        unknown.append(prefix + ".")
        continue
      }
      for shape in shapes {
        expected.insert(shape.name)
        guard let tensor = tensors[shape.name] else {
          throw DataError(path, expected: "a tensor \(shortText(shape.name))", found: "none")
        }
        guard tensor.shape == shape.shape else {
          throw DataError(
            path, expected: "shape \(NPYArray.tuple(shape.shape)) of \(shortText(shape.name))",
            found: NPYArray.tuple(tensor.shape))
        }
      }
    }
    let surplus = tensors.keys.filter { name in !expected.contains(name) && !unknown.contains(where: name.hasPrefix) }
    if let name = surplus.min() {
      throw DataError(path, expected: "no tensors but the layers'", found: shortText(name))
    }
  }

  public var inputs: Int { inputExtent.channels }
  public var outputs: Int { outputExtent.channels }
  public var inputExtent: Extent { architecture.layers[0].inputExtent }
  /// See ``Network/samplesAtATime``.
  package var samplesAtATime: Int {
    func widest(_ layers: [LayerRecord]) -> Int {
      layers.reduce(0) { max($0, $1.inputExtent.elements, $1.outputExtent.elements, widest($1.parts)) }
    }
    return evaluatedSamples(widest: widest(architecture.layers))
  }
  public var outputExtent: Extent { architecture.layers[architecture.layers.count - 1].outputExtent }
  /// The number of weights that are learned; of kinds of layers that are not built in, of all that they keep.
  public var parameters: Int {
    var statistics: Set<String> = []
    for (_, shapes) in architecture.tensors(LayerKinds<Float>()) {
      for shape in shapes ?? [] where !shape.isLearned { statistics.insert(shape.name) }
    }
    return tensors.values.reduce(0) { $0 + (statistics.contains($1.name) ? 0 : $1.elements.count) }
  }

  /// Each layer in a few words, with what its tensors' names begin with; those that it is made of come behind it.
  public var layers: [(place: String, name: String?, summary: String)] {
    let kinds = LayerKinds<Float>()
    func lines(_ layer: LayerRecord, _ place: String) -> [(place: String, name: String?, summary: String)] {
      [(place, layer.name, kinds.summary(of: layer))]
        + layer.parts.flatMap { lines($0, "\(place).\($0.at ?? "")") }
    }
    return architecture.layers.enumerated().flatMap { index, layer in
      var all = lines(layer, "layers.\(index)")
      if architecture.pairs.contains(index) { all[0].summary += ", one subsystem with the layer above" }
      return all
    }
  }

  func makeLayers<Scalar: KernelScalar>(
    _ activations: [any Activation], _ others: [any KeepableLayer<Scalar>.Type]
  ) throws -> [any Layer<Scalar>] {
    let kinds = LayerKinds(others: others)
    try requireTensors(kinds)
    return try architecture.layers.enumerated().map { index, layer in
      try kinds.layer(
        layer, prefix: "layers.\(index)", tensors, activations: activations, place: "\(path): layer \(index + 1)")
    }
  }

  var pairs: [Int] { architecture.pairs }
}

extension Architecture {
  /// See ``LayerKinds/tensors(of:prefix:)``.
  func tensors<Scalar: KernelScalar>(
    _ kinds: LayerKinds<Scalar>
  ) -> [(prefix: String, tensors: [LayerRecord.Tensor]?)] {
    layers.enumerated().flatMap { kinds.tensors(of: $1, prefix: "layers.\($0)") }
  }
}
