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
/// `layers.0.bias` (outputs), of a batch normalisation `running_mean` and `running_var` too, and with all that makes the
/// same network of them in its metadata, under `fisherkit`.
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
    let tensors = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
    var expected: Set<String> = []
    for (index, layer) in architecture.layers.enumerated() {
      for (name, shape) in layer.shapes(index: index) {
        expected.insert(name)
        guard let tensor = tensors[name] else { throw DataError(path, expected: "a tensor \(name)", found: "none") }
        guard tensor.shape == shape else {
          throw DataError(
            path, expected: "shape \(NPYArray.tuple(shape)) of \(name)", found: NPYArray.tuple(tensor.shape))
        }
      }
    }
    if let surplus = file.tensors.first(where: { !expected.contains($0.name) }) {
      throw DataError(path, expected: "no tensors but the layers'", found: shortText(surplus.name))
    }
    self.path = path
    self.architecture = architecture
    self.tensors = tensors
    version = architecture.version
    distribution = try architecture.outputs?.distribution(place: path) ?? .categorical
    notes = ModelNotes(
      featureDivisor: architecture.features?.dividedBy, classNames: architecture.classes, distribution: distribution)
    isDouble = file.tensors.contains { if case .float64 = $0.elements { true } else { false } }
  }

  public var inputs: Int { architecture.layers[0].inputs }
  public var outputs: Int { architecture.layers[architecture.layers.count - 1].outputs }
  /// The number of weights that are learned.
  public var parameters: Int {
    architecture.layers.reduce(0) { $0 + ($1.kind == .dense ? $1.outputs * ($1.inputs + 1) : 2 * $1.outputs) }
  }
  /// Each layer in a few words, by its name.
  public var layers: [(name: String, summary: String)] {
    architecture.layers.enumerated().map { index, layer in
      let pair = architecture.pairs.contains(index) ? ", one subsystem with the layer above" : ""
      return (layer.name, layer.summary + pair)
    }
  }

  func makeLayers<Scalar: KernelScalar>(_ activations: [any Activation]) throws -> [any Layer<Scalar>] {
    try architecture.layers.enumerated().map { index, layer in
      try layer.layer(
        layer.shapes(index: index).compactMap { tensors[$0.name] }, others: activations,
        place: "\(path): layer \(index + 1)")
    }
  }

  var pairs: [Int] { architecture.pairs }
}
