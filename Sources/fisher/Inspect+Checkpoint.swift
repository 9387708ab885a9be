import FisherKit
import FisherKitToolSupport

extension Inspect {
  /// What a checkpoint holds, once all of it was found to be as it was written.
  static func describe(checkpoint path: String) throws -> String {
    let file = try CheckpointFile(path: path)
    let bytes = file.entries.reduce(0) { $0 + $1.bytes }
    var lines = ["checkpoint  \(file.entries.count) entries, \(bytes) bytes, by FisherKit \(file.version)"]
    if let run = try? file.trainingConfiguration() {
      let step = file.notes["step of the epoch"].flatMap(Int.init) ?? 0
      lines.append(
        "run         step \(file.notes["step"] ?? "?"), \(file.notes["epoch"] ?? "?") epochs done"
          + (step > 0 ? " and \(step) steps of the next" : ""))
      if let loss = file.notes["loss"] { lines.append("validation  loss \(loss)") }
      lines.append("data        \(run.dataName)")
      lines += [""] + run.settings.map { "\(pad($0.name, -24))  \($0.value)" }
    } else {
      lines.append("run         none of a trainer")
    }
    let width = file.entries.reduce(5) { max($0, min(60, $1.name.count)) }
    lines += ["", "\(pad("entry", -width))  holds"]
    for entry in file.entries { lines.append("\(pad(entry.name, -width))  \(entry)") }
    return lines.map { $0.visible(keeping: []) + "\n" }.joined()
  }
}
