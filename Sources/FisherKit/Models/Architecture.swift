import Foundation

/// What a file says of a network beside its numbers: a text of JSON in the metadata of a safetensors file.
struct Architecture: Codable, Equatable {
  /// The metadata's name for it.
  static let key = "fisherkit"
  /// The version of this form; files of a later one are refused. 1 is a chain of dense layers and batch normalisations, of
  /// one position each, whose outputs are classes, and is written where it will do.
  static let newestFormat = 2
  /// Far more than thousands of layers take.
  static let maximumLength = 1 << 20

  struct Features: Codable, Equatable {
    var dividedBy: Double

    enum CodingKeys: String, CodingKey { case dividedBy = "divided_by" }
  }

  var format: Int
  /// Of FisherKit.
  var version = FisherKitVersion.current
  var layers: [LayerRecord]
  /// Layers, counted from 0, that are one subsystem with the one above.
  var pairs: [Int]
  var features: Features?
  var classes: [String]?
  /// What the outputs say; of classes where it is missing.
  var outputs: OutputRecord?

  init<Scalar: KernelScalar>(_ model: Sequential<Scalar>, notes: ModelNotes, place: String) throws(DataError) {
    let kinds = LayerKinds<Scalar>()
    layers = []
    for (index, layer) in model.layers.enumerated() {
      layers.append(try kinds.record(layer, place: "\(place): layer \(index + 1)"))
    }
    pairs = model.pairs
    features = notes.featureDivisor.map { Features(dividedBy: $0) }
    classes = notes.classNames
    outputs = OutputRecord(notes.distribution ?? OutputDistribution(of: model) ?? .categorical)
    format = layers.allSatisfy(\.isOfFirstFormat) && outputs == nil ? 1 : Self.newestFormat
    try requirePossible(place: place)
  }

  init(json: String, place: String) throws(DataError) {
    struct Marked: Decodable { var format: Int }
    let what = "a text of FisherKit's in the metadata"
    guard json.utf8.count <= Self.maximumLength else {
      throw DataError(place, expected: "\(what) of at most \(Self.maximumLength) bytes", found: "\(json.utf8.count)")
    }
    let data = Data(json.utf8)
    do {
      let format = try JSONDecoder().decode(Marked.self, from: data).format
      guard format <= Self.newestFormat, format >= 1 else {
        throw DataError(
          place, expected: "a model of format 1\(Self.newestFormat > 1 ? " to \(Self.newestFormat)" : "")",
          found: "format \(format)\(format < 1 ? "" : ", which a later version of FisherKit wrote")")
      }
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch let error as DataError {
      throw error
    } catch is LayerRecord.TooDeep {
      throw DataError(
        place, expected: "layers at most \(LayerRecord.maximumDepth) deep in each other", found: "more")
    } catch is JSONValue.TooDeep {
      throw DataError(place, expected: what, found: "settings in each other too deep")
    } catch {
      throw DataError(place, expected: what, found: (error as? DecodingError)?.summary(of: data) ?? "\(error)")
    }
    try requirePossible(place: place)
  }

  func json() -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // (its numbers are finite, and all else can be written)
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func requirePossible(place: String) throws(DataError) {
    guard !layers.isEmpty else { throw DataError(place, expected: "at least one layer", found: "none") }
    for (index, layer) in layers.enumerated() {
      try requirePossible(layer, place: "\(place): layer \(index + 1)")
      guard index == 0 || layers[index - 1].outputExtent == layer.inputExtent else {
        throw DataError(
          "\(place): layer \(index + 1)", expected: "\(layers[index - 1].outputExtent) inputs, the layer's below",
          found: "\(layer.inputExtent)")
      }
    }
    guard Set(pairs).count == pairs.count, pairs.allSatisfy({ $0 >= 0 && $0 < layers.count - 1 }) else {
      throw DataError(place, expected: "pairs of its \(layers.count) layers", found: shortText("\(pairs)"))
    }
    _ = try outputs?.distribution(place: place)
    if let divisor = features?.dividedBy, !(divisor > 0 && divisor.isFinite) {
      throw DataError(place, expected: "features divided by a positive number", found: "\(divisor)")
    }
    if let classes, classes.count != layers[layers.count - 1].outputs {
      throw DataError(
        place, expected: "\(layers[layers.count - 1].outputs) names of classes", found: "\(classes.count)")
    }
  }

  /// Widths and positions that a layer and its parts can have.
  private func requirePossible(_ layer: LayerRecord, place: String) throws(DataError) {
    for extent in [layer.inputExtent, layer.outputExtent] {
      let rows = extent.positions.multipliedReportingOverflow(by: extent.channels)
      guard extent.channels > 0, extent.positions > 0, extent.channels < Int.max, !rows.overflow else {
        throw DataError(
          place, expected: "widths that a \(shortText(layer.kind)) layer can have",
          found: "\(layer.inputExtent) to \(layer.outputExtent)")
      }
    }
    for part in layer.parts { try requirePossible(part, place: "\(place), \(shortText(part.at ?? "part"))") }
  }
}
