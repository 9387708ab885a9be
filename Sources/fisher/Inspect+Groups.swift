import FisherKit
import FisherKitToolSupport

extension Inspect {
  /// Which parameter of a model belongs to which group, and with which flags it is stepped.
  static func describe(groups path: String, of model: String) throws -> String {
    let file = try GroupFile(path: path)
    let network = try Sequential<Float>(contentsOf: model, batchCapacity: 1)
    let groups = try file.optimizer(rest: try SGD<Float>()) {
      try $0.make(batch: RunOptions.usualBatch, costs: NaturalOptions.anyCosts)
    }
    let names = try assignment(groups, of: network, path: path)
    let width = network.parameters.reduce(9) { max($0, min(60, $1.name.count)) }
    var lines = ["", "\(pad("parameter", -width))  group"]
    for parameter in network.parameters {
      let place = names.firstIndex { $0.contains(parameter.name) } ?? file.groups.count
      let group = place < file.groups.count ? file.groups[place] : nil
      let text = group.map { "\(place + 1), \($0.pattern): \($0.flags ?? "frozen")" } ?? "as the main flags say"
      lines.append("\(pad(parameter.name, -width))  \(text)")
    }
    return lines.map { $0.visible(keeping: []) + "\n" }.joined()
  }

  private static func assignment(
    _ groups: OptimizerGroups<Float>, of network: Sequential<Float>, path: String
  ) throws -> [[String]] {
    do throws(FisherError) {
      return try groups.assignment(of: network.parameters)
    } catch {
      guard case .invalidArgument(let what, let expected, let found) = error else { throw error }
      throw DataError("\(path): \(what)", expected: expected, found: found)
    }
  }
}
