import Foundation

/// What a file says of a network beside its numbers: a text of JSON in the metadata of a safetensors file.
struct Architecture: Codable, Equatable {
  /// The metadata's name for it.
  static let key = "fisherkit"
  /// The version of this form; files of a later one are refused.
  static let newestFormat = 2
  /// What a network of classes needs, which older versions read too.
  static let formatOfClasses = 1
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
    layers = []
    pairs = []
    for (index, layer) in model.layers.enumerated() {
      layers.append(try LayerRecord(layer, place: "\(place): layer \(index + 1)"))
      if layer.parameters[0].above != nil { pairs.append(index) }
    }
    features = notes.featureDivisor.map { Features(dividedBy: $0) }
    classes = notes.classNames
    outputs = OutputRecord(notes.distribution ?? OutputDistribution(of: model) ?? .categorical)
    format = outputs == nil ? Self.formatOfClasses : Self.newestFormat
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
      guard layer.inputs > 0, layer.outputs > 0, layer.inputs < Int.max,
        layer.kind == .dense || layer.inputs == layer.outputs
      else {
        throw DataError(
          "\(place): layer \(index + 1)", expected: "widths that a \(layer.kind.rawValue) layer can have",
          found: "\(layer.inputs) to \(layer.outputs)")
      }
      guard index == 0 || layers[index - 1].outputs == layer.inputs else {
        throw DataError(
          "\(place): layer \(index + 1)", expected: "\(layers[index - 1].outputs) inputs, the layer's below",
          found: "\(layer.inputs)")
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
}
