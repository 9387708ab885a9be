import Foundation

/// A network as a readable file says it: layers, blocks with repeats, activations, and what is left to a first-order optimizer.
///
///     {"input": [28, 28, 1], "activation": "relu", "layers": [
///       {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"},
///       {"layer": "max pooling", "kernel": 2},
///       {"repeat": 2, "layers": [{"layer": "residual", "layers": [
///         {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"}]}]},
///       {"layer": "flatten"},
///       {"layer": "dense", "outputs": 64},
///       {"layer": "dense"}]}
///
/// `input` is [height, width, channels], [length, channels] or [features], or "images" for square ones of one or three channels,
/// whatever their size; by default the features of the data. A last layer
/// without outputs has as many as the data have classes. `"measured": false` leaves a layer without a Fisher matrix.
public struct ModelDescription: Sendable {
  private let values: [String: JSONValue]
  /// The file's name, or that of a description that is built in.
  public let place: String

  static let maximumLength = 1 << 20
  /// Far more than thousands of layers; repeats in each other come to any number.
  static let maximumLayers = 10_000

  public init(contentsOf path: String) throws(DataError) {
    let file = try SizedFile(path: path)
    guard file.size <= Self.maximumLength else {
      throw DataError(
        path, expected: "a model's description of at most \(Self.maximumLength) bytes", found: "\(file.size)")
    }
    var bytes = [UInt8](repeating: 0, count: file.size)
    var read = 0
    do {
      read = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
    } catch {
      throw error as? DataError ?? DataError(path, expected: "a file that can be read", found: "\(error)")
    }
    try self.init(json: Data(bytes.prefix(read)), place: path)
  }

  init(json data: Data, place: String) throws(DataError) {
    let what = "a model's description, a JSON object with layers"
    do {
      guard case .object(let values) = try JSONDecoder().decode(JSONValue.self, from: data) else {
        throw DataError(place, expected: what, found: "another value")
      }
      (self.values, self.place) = (values, place)
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError(
        place, expected: what, found: (error as? DecodingError)?.summary(of: data) ?? shortText("\(error)"))
    }
  }

  /// One that is built in.
  public static func named(_ name: String) -> ModelDescription? {
    guard let text = builtIn[name] else { return nil }
    return try? ModelDescription(json: Data(text.utf8), place: name)
  }

  public static var names: [String] { builtIn.keys.sorted() }

  /// The kinds of layers that a description can name.
  public static var layerKinds: [String] {
    (describedLayers(Float.self).map { $0.kind } + ["parallel", "residual"]).sorted()
  }

  /// The features that its input says; `nil` where that depends on the data.
  public func features() throws(DataError) -> Int? {
    if case .text? = values["input"] { return nil }
    guard let sides = try LayerDescription(values, place: place).counts("input") else { return nil }
    return sides.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
  }
}

// MARK: Making it

extension ModelDescription {
  /// The network, for samples of so many features, and mini-batches of up to so many of them.
  /// - Throws: ``DataError`` that names the layer, for what is not known or does not fit.
  public func make<S: KernelScalar>(
    _: S.Type = S.self, features: Int, outputs: Int, loss: any Loss = SoftmaxCrossEntropy(),
    activation: any Activation = Relu(), batchCapacity: Int, seed: UInt64 = 0
  ) throws -> Sequential<S> {
    try Sequential(
      try makeLayers(S.self, features: features, outputs: outputs, loss: loss, activation: activation, seed: seed),
      batchCapacity: batchCapacity)
  }

  /// Its layers.
  /// - Parameters:
  ///   - outputs: of a last layer that says none.
  ///   - activation: of layers that name none, where the description has none either.
  /// - Throws: ``DataError`` that names the layer, for what is not known or does not fit.
  public func makeLayers<S: KernelScalar>(
    _: S.Type = S.self, features: Int, outputs: Int, loss: any Loss = SoftmaxCrossEntropy(),
    activation: any Activation = Relu(), seed: UInt64 = 0
  ) throws -> [any Layer<S>] {
    let top = LayerDescription(values, place: place)
    let own = try top.activation()
    var model = ModelUnderConstruction<S>(
      extent: Extent(channels: features), image: try image(features: features, top), outputs: outputs,
      outputSubsystem: loss.outputSubsystem, activation: own ?? activation,
      generator: SeededGenerator(seed: seed, stream: .initialisation))
    let layers = try make(try top.layers("layers"), in: &model, prefix: "layer", isTop: true)
    try top.requireAllAsked()
    return layers
  }

  private func image<S: KernelScalar>(
    features: Int, _ top: LayerDescription
  ) throws(DataError) -> ModelUnderConstruction<S>.Image? {
    guard let sides = try sides(features: features, top) else { return nil }
    guard sides.count <= 3, sides.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == features else {
      throw DataError(
        "\(place): input",
        expected: "[height, width, channels], [length, channels] or [features] of \(features) features",
        found: "\(sides)")
    }
    if sides.count == 1 { return nil }
    let (channels, width) = (sides[sides.count - 1], sides[sides.count - 2])
    return .init(
      size: ImageWindow.Size(sides.count == 3 ? sides[0] : 1, width), channels: channels, isFeatures: true)
  }

  /// What `input` says: its numbers, or of "images" a square of one channel, or of three.
  private func sides(features: Int, _ top: LayerDescription) throws(DataError) -> [Int]? {
    guard case .text(let text)? = top.raw("input") else { return try top.counts("input") }
    guard text == "images" else {
      throw DataError(
        "\(place): input", expected: "images, or [height, width, channels], [length, channels] or [features]",
        found: shortText(text))
    }
    for channels in [1, 3] {
      let side = Int((Double(features) / Double(channels)).squareRoot().rounded())
      if side * side * channels == features { return [side, side, channels] }
    }
    throw DataError(
      "\(place): input", expected: "[height, width, channels] where images are not square ones of 1 or 3 channels",
      found: "images of \(features) features")
  }

  private func make<S: KernelScalar>(
    _ descriptions: [LayerDescription], in model: inout ModelUnderConstruction<S>, prefix: String, isTop: Bool
  ) throws -> [any Layer<S>] {
    var (made, number): ([any Layer<S>], Int) = ([], 0)
    for (index, description) in descriptions.enumerated() {
      let isEnd = isTop && index == descriptions.count - 1
      if let times = try description.count("repeat") {
        guard times <= 1000 else {
          throw DataError("\(description.place): repeat", expected: "at most 1000", found: "\(times)")
        }
        for _ in 0..<times {
          for layer in try make(
            try description.layers("layers"), in: &model, prefix: "\(prefix) \(number + 1)", isTop: false)
          {
            made.append(layer)
          }
          number += 1
        }
        try description.requireAllAsked()
        continue
      }
      number += 1
      model.name = "\(prefix) \(number)"
      model.isLast = isEnd
      made.append(try make(description, in: &model))
    }
    return made
  }

  private func make<S: KernelScalar>(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<S>
  ) throws -> any Layer<S> {
    guard let kind = try description.text("layer") else {
      throw DataError(description.place, expected: "layer, its kind, or repeat", found: "neither")
    }
    model.count += 1
    guard model.count <= Self.maximumLayers else {
      throw DataError(place, expected: "at most \(Self.maximumLayers) layers, repeats counted", found: "more")
    }
    model.isMeasured = try description.flag("measured") ?? true
    let name = model.name
    if let given = try description.text("name") { model.name = given }
    let kinds = describedLayers(S.self)
    let layer: any Layer<S>
    switch kind {
    case "residual":
      let before = (model.extent, model.image)
      let body = try make(try description.layers("layers"), in: &model, prefix: "\(name).", isTop: false)
      (model.extent, model.image) = before
      layer = try located(description.place) { try Residual(body.count == 1 ? body[0] : try Sequential(body)) }
    case "parallel":
      let joining = try description.text("joining") ?? "concatenation"
      guard let how = Parallel<S>.Joining(rawValue: joining) else {
        throw DataError("\(description.place): joining", expected: "concatenation or sum", found: shortText(joining))
      }
      let before = (model.extent, model.image)
      var (branches, after): ([any Layer<S>], ModelUnderConstruction<S>.Image?) = ([], nil)
      for (index, branch) in try description.branches("branches").enumerated() {
        (model.extent, model.image) = before
        let body = try make(branch, in: &model, prefix: "\(name).\(index + 1).", isTop: false)
        branches.append(body.count == 1 ? body[0] : try Sequential(body))
        after = model.image
      }
      layer = try located(description.place) { try Parallel(branches, joining: how) }
      model.image = after
      if model.image != nil { model.image?.channels = layer.outputs }
    default:
      guard let known = kinds.first(where: { $0.kind == kind }) else {
        throw DataError(
          description.place,
          expected:
            "a layer that is known (\((kinds.map { $0.kind } + ["parallel", "residual"]).sorted().joined(separator: ", ")))",
          found: shortText(kind))
      }
      layer = try located(description.place) { try known.make(description, in: &model) }
    }
    try description.requireAllAsked()
    model.extent = layer.outputExtent
    return layer
  }
}

/// Says where in the description it is that a layer refuses.
private func located<Value>(_ place: String, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch FisherError.invalidArgument(let what, let expected, let found) {
    throw DataError("\(place): \(what)", expected: expected, found: found)
  }
}

/// The kinds that a description knows by their names.
func describedLayers<S: KernelScalar>(_: S.Type = S.self) -> [any DescribedLayer<S>.Type] {
  [
    AveragePooling<S>.self, BatchNormalization<S>.self, Convolution<S>.self, Dense<S>.self, Dropout<S>.self,
    Flatten<S>.self, GroupNormalization<S>.self, LayerNormalization<S>.self, MaxPooling<S>.self,
    RMSNormalization<S>.self,
  ]
}
