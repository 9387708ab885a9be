import ArgumentParser
import FisherKit
import FisherKitToolSupport

/// A network layer by layer: what goes out, its parameters, the floating-point operations of a sample's forward pass, and of
/// each of its sites the form of its Fisher matrix, how that is held, and the bytes that takes.
struct ModelTable {
  private var rows: [[String]] = [
    ["layer", "kind", "output", "parameters", "Mflop", "Fisher matrix", "held as", "memory"]
  ]
  private(set) var parameters = 0
  private(set) var flops = 0.0
  private(set) var bytes = 0

  init(_ model: Sequential<Float>, plan: [LayerPlan]) {
    for (index, layer) in model.layers.enumerated() { add(layer, place: "\(index + 1)", plan) }
  }

  private mutating func add(_ layer: any Layer<Float>, place: String, _ plan: [LayerPlan]) {
    let parts = (layer as? any KeepableLayer<Float>)?.keptParts ?? []
    let kind = Self.kind(of: layer)
    guard parts.isEmpty else {
      rows.append([place, kind, "\(layer.outputExtent)", "", "", "", "", ""])
      for part in parts { add(part.layer, place: "\(place).\(part.place)", plan) }
      return
    }
    guard !layer.parameters.isEmpty else {
      rows.append([place, kind, "\(layer.outputExtent)", "", "", "", "", ""])
      return
    }
    for (index, parameter) in layer.parameters.enumerated() {
      let count = parameter.neurons * parameter.order
      let work = 2 * Double(count) * Double(parameter.positions)
      parameters += count
      flops += work
      let held = plan.first { $0.name == parameter.name }
      bytes += held?.bytes ?? 0
      rows.append([
        index == 0 ? place : "", index == 0 ? kind : parameter.name, index == 0 ? "\(layer.outputExtent)" : "",
        "\(count)", fixed(work / 1e6, 3), parameter.subsystem.map { "\($0.form)" } ?? "none",
        held?.estimate.summary ?? "", held.map { megabytes($0.bytes) } ?? "",
      ])
    }
  }

  private static func kind(of layer: any Layer<Float>) -> String {
    func name<L: KeepableLayer<Float>>(_ layer: L) -> String { L.kind }
    let kind = (layer as? any KeepableLayer<Float>).map { name($0) } ?? "\(type(of: layer))"
    guard let convolution = layer as? Convolution<Float> else { return kind }
    let groups = convolution.shape.groups
    return "\(kind) \(convolution.shape.window.kernel)" + (groups == 1 ? "" : ", \(groups) groups")
  }

  var lines: [String] {
    let widths = rows[0].indices.map { column in rows.reduce(0) { max($0, $1[column].count) } }
    let isNumber = [false, false, false, true, true, false, false, true]
    return rows.map { row in
      var line = row.indices.map { pad(row[$0], isNumber[$0] ? widths[$0] : -widths[$0]) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

extension Inspect {
  /// The table of a network that a description makes.
  func describe(description: ModelDescription) throws -> String {
    guard let features = try features ?? description.features() else {
      throw ValidationError(
        "--features: expected it where \(description.place.visible(keeping: [])) does not say its input's size, found none"
      )
    }
    let model = try description.make(Float.self, features: features, outputs: classes ?? 10, batchCapacity: batch)
    let optimizer = try natural.make(
      rate: 0.01, momentum: 0, isNesterov: false, decay: .none, costs: nil, memoryCap: nil)
    try optimizer.prepare(for: model, batchSize: batch)
    let table = ModelTable(model, plan: optimizer.plan)
    let total =
      "\(table.parameters) parameters, \(fixed(table.flops / 1e6, 3)) Mflop forward for a sample; model \(megabytes(model.bytes)), "
      + "Fisher matrices \(megabytes(table.bytes)) at a batch of \(batch)"
    return (["\(description.place.visible(keeping: [])): \(features) features", ""] + table.lines + ["", total])
      .map { $0.visible(keeping: []) + "\n" }.joined()
  }
}
