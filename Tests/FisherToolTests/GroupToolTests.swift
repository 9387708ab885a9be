import Foundation
import Testing

/// Groups of parameters in files, and losses within epochs, as a user has them.
@Suite struct GroupToolTests {
  private func train(_ flags: String, groups: String? = nil, in folder: Scratch) throws -> Tool.Result {
    var arguments = ["train", "--shape", "64,9,7,10", "--epochs", "1", "--batch", "200"]
    arguments += flags.split(separator: " ").map(String.init)
    if let groups {
      try groups.write(toFile: folder.file("groups.json"), atomically: true, encoding: .utf8)
      arguments += ["--groups", folder.file("groups.json")]
    }
    return try Tool.run(arguments)
  }

  private let groups = """
    {"groups": [
      {"parameters": ["layer 2"], "frozen": true},
      {"without_subsystem": true, "flags": "--optimizer adamw --learning-rate 1e-3 --schedule cosine"}
    ]}
    """

  /// A frozen layer is as it started, and the others are not.
  @Test func frozen() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    func weights(_ flags: String, _ groups: String?) throws -> [String: Data] {
      let path = folder.file("m.safetensors")
      let result = try train("--quiet --batch-norm --metric exact --save \(path) \(flags)", groups: groups, in: folder)
      #expect(result.status == 0 && result.errors == "", "\(result)")
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      let header = try #require(
        try JSONSerialization.jsonObject(with: data[8..<(8 + length)]) as? [String: [String: Any]])
      return header.filter { $0.key != "__metadata__" }.compactMapValues { entry in
        (entry["data_offsets"] as? [Int]).map { data[(8 + length + $0[0])..<(8 + length + $0[1])] }
      }
    }
    let (free, held) = (try weights("", nil), try weights("", groups))
    let start = try weights("--learning-rate 1e-30 --l2 0", nil)
    #expect(held["layers.2.weight"] == start["layers.2.weight"])
    #expect(free["layers.2.weight"] != start["layers.2.weight"])
    for name in ["layers.0.weight", "layers.1.weight", "layers.4.weight"] {
      #expect(held[name] != start[name], "\(name)")
    }

    let result = try Tool.run(["inspect", folder.file("m.safetensors"), "--groups", folder.file("groups.json")])
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("1, layer 2: frozen"))
    #expect(result.output.contains("2, parameters without a subsystem: --optimizer adamw"))
    #expect(result.output.contains("as the main flags say"))
  }

  @Test(arguments: [
    ("", "JSON"), ("{\"groups\": []}", "at least one group"), ("{\"group\": []}", "members groups"),
    ("{\"groups\": [{\"parameters\": [\"layer 1\"]}]}", "either flags or frozen"),
    ("{\"groups\": [{\"flags\": \"\"}]}", "either parameters"),
    ("{\"groups\": [{\"parameters\": [\"lyer 1\"], \"frozen\": true}]}", "layer 1, layer 2, layer 3"),
    ("{\"groups\": [{\"parameters\": [\"layer 1\"], \"flags\": \"--optimizer adm\"}]}", "--optimizer"),
    ("{\"groups\": [{\"parameters\": [\"layer 1\"], \"flags\": \"--schedule cosin\"}]}", "cosine"),
    ("{\"groups\": [{\"parameters\": 3, \"frozen\": true}]}", "parameters"),
  ])
  func refusals(groups: String, expected: String) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try train("--quiet", groups: groups, in: folder)
    #expect([64, 65].contains(result.status), "\(result)")
    #expect(result.errors.contains(expected) && result.errors.hasPrefix("fisher: "), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
  }

  /// Losses within epochs come between those of their ends, at whole numbers of steps, and end where these are.
  @Test func lossesWithinEpochs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("log.jsonl")
    let result = try train("--quiet --optimizer adam --epochs 2 --evaluate-every 7 --log \(log)", in: folder)
    #expect(result.status == 0, "\(result)")
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
    }
    let points = lines.filter { $0["train_loss"] != nil }
    let steps = points.compactMap { $0["step"] as? Int }
    let ends = points.filter { $0["epoch"] != nil }.compactMap { $0["step"] as? Int }
    #expect(ends.count == 2 && steps == steps.sorted() && Set(steps).count == steps.count)
    let within = points.filter { $0["epoch"] == nil }.compactMap { $0["step"] as? Int }
    #expect(within == Array(stride(from: 7, to: ends[1], by: 7)).filter { $0 != ends[0] })
    let report = try Tool.run(["report", log, "--format", "csv"])
    #expect(report.status == 0, "\(report)")
    #expect(try train("--evaluate-every 0", in: folder).status == 64)
    let none = try train("--quiet --accumulate 1000000", in: folder)
    #expect(none.status == 64 && none.errors.contains("mini-batches of the run"), "\(none)")
  }
}
