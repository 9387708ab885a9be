import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// `fisher train --checkpoint` and `--resume`: the same log and model as of a run that nobody disturbed.
@Suite final class CheckpointToolTests {
  private let folder: Scratch
  private var run: String { folder.file("run") }

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  private static let small = ["train", "--shape", "64,30,10", "--batch", "200", "--metric", "exact", "--refresh", "20"]

  private func train(_ arguments: [String], _ flags: [String] = CheckpointToolTests.small) throws -> Tool.Result {
    try Tool.run(flags + arguments)
  }

  private func outputs(_ name: String) -> [String] {
    ["--log", folder.file("\(name).jsonl"), "--save", folder.file("\(name).safetensors")]
  }

  /// Whether two runs came to the same log, but for seconds, memory and the command, and to the same model.
  private func expectSame(_ one: String, _ other: String, _ what: String = "") throws {
    func lines(_ name: String) throws -> [NSDictionary] {
      try String(contentsOfFile: folder.file("\(name).jsonl"), encoding: .utf8).split(separator: "\n").map {
        var line = try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        for key in ["seconds", "peak_memory_bytes", "command"] { line[key] = nil }
        return line as NSDictionary
      }
    }
    #expect(try lines(one) == lines(other), "\(what)")
    let models = [one, other].map { FileManager.default.contents(atPath: folder.file("\($0).safetensors")) }
    #expect(models[0] != nil && models[0] == models[1], "\(what)")
  }

  private var checkpoints: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: run)) ?? []).filter { $0 != "lock" }.sorted()
  }

  @Test(arguments: [
    ["--optimizer", "momentum", "--batch-norm"], ["--metric", "projected", "--rank", "12", "--spread-refresh"],
    ["--metric", "exact", "--refresh", "30", "--damping-rule", "adaptive", "--pair", "1"],
  ])
  func goesOnWithMoreEpochs(flags: [String]) throws {
    let command = ["train", "--shape", "64,30,20,10", "--batch", "200"] + flags
    #expect(try train(["--epochs", "3", "--quiet"] + outputs("whole"), command).status == 0)
    let first = try train(["--epochs", "1", "--checkpoint", run, "--resume"], command)
    #expect(
      first.status == 0 && first.output.contains("\nresumed    from the start: there is no checkpoint"), "\(first)")
    let second = try train(["--epochs", "3", "--checkpoint", run, "--resume"] + outputs("again"), command)
    #expect(second.status == 0 && second.errors.isEmpty, "\(second)")
    #expect(second.output.contains("\nresumed    from \(run)/step-000000000050.checkpoint\n"), "\(second)")
    try expectSame("whole", "again")
    // a run that is done is done again from its end
    #expect(
      try train(["--epochs", "3", "--quiet", "--checkpoint", run, "--resume"] + outputs("done"), command).status == 0)
    try expectSame("whole", "done")
    let fewer = try train(["--epochs", "2", "--checkpoint", run, "--resume"], command)
    #expect(fewer.status == 64 && fewer.errors.contains("--epochs: expected 3 or more"), "\(fewer)")
  }

  @Test func whichAreKept() throws {
    // (a rate at which it gets worse, so that the first epoch is the best)
    let command = ["train", "--optimizer", "sgd", "--lr", "30", "--recoveries", "1000", "--shape", "64,10", "--quiet"]
    let result = try train(
      ["--epochs", "3", "--checkpoint", run, "--checkpoint-every", "90", "--checkpoint-keep", "3"] + outputs("a"),
      command)
    #expect(result.status == 0, "\(result)")
    let losses = try LogLines(path: folder.file("a.jsonl")).numbers.compactMap { $0["validation_loss"] }
    let best = try #require(losses.firstIndex(of: losses.min()!))
    let last = [450, 540, 600]
    let kept = Set(last + [(best + 1) * 200]).sorted()
    #expect(checkpoints == kept.map { "step-000000000\($0).checkpoint" }, "\(losses)")
    let refused = try train(["--checkpoint", run], command)
    #expect(refused.status == 64 && refused.errors.contains("a folder without checkpoints, or --resume"), "\(refused)")
  }

  /// SIGINT and SIGTERM write one, and say how to go on.
  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)]) func signals(signal: Int32, status: Int32)
    throws
  {
    let epochs = ["--epochs", "8", "--quiet"]
    #expect(try train(epochs + outputs("whole")).status == 0)
    var (count, steps) = (0, Set<String>())
    while true {
      let process = Process()
      process.executableURL = Tool.executable("fisher")
      process.arguments = Self.small + epochs + outputs("again") + ["--checkpoint", run, "--resume"]
      let errors = folder.file("errors")
      _ = FileManager.default.createFile(atPath: errors, contents: nil)
      process.standardError = FileHandle(forWritingAtPath: errors)
      process.standardOutput = FileHandle.nullDevice
      try process.runWithSignals()
      let part = "again.jsonl.partial-\(process.processIdentifier)"
      func lines() -> Int {
        let log = FileManager.default.contents(atPath: folder.file(part)) ?? Data()
        return log.count(where: { $0 == UInt8(ascii: "\n") })
      }
      while process.isRunning, count < 3, lines() < count + 2 { usleep(2000) }
      if count < 3 { kill(process.processIdentifier, signal) }
      process.waitUntilExit()
      if process.terminationStatus == 0 { break }
      let text = try String(contentsOfFile: errors, encoding: .utf8)
      #expect(process.terminationStatus == status && text.count { $0 == "\n" } == 1, "\(text)")
      let newest = try #require(checkpoints.last)
      #expect(
        text.contains("the last checkpoint is \(run)/\(newest), from which the same command with --resume"), "\(text)")
      #expect(steps.insert(newest).inserted)
      count += 1
    }
    #expect(count > 0)
    try expectSame("whole", "again")
  }

  /// One line that says what it is, and which one to go on from; and that way is one.
  @Test func damagedOnes() throws {
    #expect(try train(["--epochs", "3", "--quiet"] + outputs("whole")).status == 0)
    #expect(try train(["--epochs", "2", "--quiet", "--checkpoint", run]).status == 0)
    let (before, last) = ("\(run)/\(checkpoints[0])", "\(run)/\(checkpoints[1])")
    let good = try Data(contentsOf: URL(fileURLWithPath: last))
    let resume = ["--epochs", "3", "--quiet", "--checkpoint", run, "--resume"]
    for (what, words) in [
      ("damaged", ["as it was written", "damaged"]), ("cut", ["expected", "bytes"]), ("foreign", ["found text"]),
      ("newer", ["format 2, of a newer version"]), ("empty", ["an empty file"]),
    ] {
      var data = good
      switch what {
      case "damaged": data[data.count - 100] ^= 4
      case "cut": data.removeLast(50)
      case "newer": data[8] = 2
      case "foreign": data = Data("something else that is text\n".utf8)
      default: data = Data()
      }
      try data.write(to: URL(fileURLWithPath: last))
      let result = try train(resume)
      #expect(result.status == 65 && result.output.isEmpty && result.errors.count { $0 == "\n" } == 1, "\(result)")
      for word in words + [last, "whole is \(before) (--resume \(before) goes on from it)"] {
        #expect(result.errors.contains(word), "\(what): \(word) in \(result)")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: last)) == data, "it stays")
    }
    let result = try train(resume + [before] + outputs("again"))
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    try expectSame("whole", "again")
    // it was written anew on the way
    #expect(try train(resume).status == 0)
    let missing = try train(resume + [folder.file("none")])
    #expect(missing.status == 65 && missing.errors.contains("--resume \(run)/"), "\(missing)")
  }

  /// Of another run: the first difference, by what both have.
  @Test func otherConfigurations() throws {
    #expect(try train(["--epochs", "1", "--quiet", "--checkpoint", run]).status == 0)
    let before = checkpoints
    for (flags, words) in [
      (["--l2", "0.5"], ["L2", "0.5, as this run has it", "0.001"]), (["--seed", "4"], ["seed", "4", "0"]),
      (["--optimizer", "sgd"], ["optimizer", "sgd", "rngd"]),
      (["--metric", "shared"], ["metric", "SharedMetric", "Exact"]),
      (["--lr", "0.5"], ["learning rate", "0.5", "0.02"]), (["--batch", "100"], ["batch", "100", "200"]),
      (["--activation", "tanh"], ["layer 1", "Tanh", "Relu"]),
      (["--omega", "0.5"], ["parameter 1", "omega: 0.5", "omega: 1.0"]),
      (["--batch-norm"], ["layer 2", "batch normalisation", "dense"]),
      (["--refresh", "9"], ["refresh", "9 steps", "20 steps"]),
      (["--damping", "0.1"], ["damping", "0.1", "0.016 by norm"]),
      (["--trust-region", "0"], ["trust region", "off", "usual"]),
      (["--validation", "500"], ["data", "500", "2000", "(synthetic)"]), (["--units", "1,2"], ["data", "CRC-32"]),
      (["--recoveries", "1"], ["recoveries", "1", "10"]), (["--threads", "1"], ["threads", "1"]),
      (["--drift", "0.1"], ["drift", "0.1", "any"]), (["--spread-refresh"], ["spread", "true", "false"]),
      (["--shape", "64,31,10"], ["layer 1", "64 to 31", "64 to 30"]), (["--pair", "1"], ["parameter 1", "TwoLayers"]),
    ] {
      // (of a flag that is given twice the last one counts)
      let base = Self.small.filter {
        !(flags.contains("sgd") && ["--metric", "exact", "--refresh", "20"].contains($0))
      }
      let result = try train(flags + ["--epochs", "2", "--checkpoint", run, "--resume"], base)
      #expect(result.status == 65 && result.errors.count { $0 == "\n" } == 1, "\(flags): \(result)")
      for word in words + ["\(run)/\(before[0]): "] { #expect(result.errors.contains(word), "\(word): \(result)") }
    }
    let level = try Tool.run(
      Self.small + ["--epochs", "2", "--checkpoint", run, "--resume"], environment: ["FISHERKIT_CPU": "baseline"])
    #expect(level.status == 65 && level.errors.contains("CPU: expected baseline, as this run has it"), "\(level)")
    let other = Compute.products == "own" ? "blas" : "own"
    let route = try Tool.run(
      Self.small + ["--epochs", "2", "--checkpoint", run, "--resume"], environment: ["FISHERKIT_PRODUCTS": other])
    #expect(route.status == 65 && route.errors.contains("products: expected "), "\(route)")
    #expect(checkpoints == before)
  }

  @Test func twoRunsInOneFolder() throws {
    let first = Process()
    first.executableURL = Tool.executable("fisher")
    first.arguments = ["train", "--epochs", "100000", "--optimizer", "sgd", "--quiet", "--checkpoint", run]
    try first.runWithSignals()
    while checkpoints.isEmpty, first.isRunning { usleep(10_000) }
    for more in [[], ["--resume"]] {
      let result = try Tool.run(["train", "--quiet", "--checkpoint", run] + more)
      #expect(result.status == 64 && result.errors.contains("that no other run writes its checkpoints to"), "\(result)")
    }
    #expect(first.isRunning)
    kill(first.processIdentifier, SIGKILL)
    first.waitUntilExit()
    // (a lock ends with its run)
    let result = try Tool.run(
      ["train", "--quiet", "--optimizer", "sgd", "--epochs", "1", "--checkpoint", run, "--resume"])
    #expect(result.status == 64 && result.errors.contains("--epochs") || result.status == 0, "\(result)")
  }

  /// A limit on file sizes is as a full disk: what was there stays, and is gone on from.
  @Test func fullDisk() throws {
    #expect(try train(["--epochs", "3", "--quiet"] + outputs("whole")).status == 0)
    #expect(try train(["--epochs", "1", "--quiet", "--checkpoint", run]).status == 0)
    let before = try Data(contentsOf: URL(fileURLWithPath: "\(run)/\(checkpoints[0])"))
    let words = (Self.small + ["--epochs", "3", "--quiet", "--checkpoint", run, "--resume"]).joined(separator: " ")
    let command = "(ulimit -f 8; exec '\(Tool.executable("fisher").path)' \(words) 2>&1) | cat; exit ${PIPESTATUS[0]}"
    let result = try Tool.run(["-c", command], executable: "/bin/bash")
    #expect(result.status == 70 && result.output.count { $0 == "\n" } == 1, "\(result)")
    #expect(result.output.contains("--checkpoint: \(run)/step-") && result.output.contains("room for"), "\(result)")
    #expect(checkpoints.count == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(run)/\(checkpoints[0])")) == before)
    #expect(
      try train(["--epochs", "3", "--quiet", "--checkpoint", run, "--resume"] + outputs("again")).status == 0)
    try expectSame("whole", "again")
  }

  /// A plan by costs that are no longer there comes back.
  @Test func plansComeBack() throws {
    let costs = folder.file("costs.json")
    // (of a machine that factors and solves next to nothing in a second: nothing is exact there)
    for (name, factors, word) in [("slow", 1e6, "projected"), ("fast", 1e16, "exact")] {
      try """
      {"products": 1e9, "grams": \(factors), "factors": \(factors), "solves": \(factors), "bandwidth": 1e12, "call": 1e-9}
      """.write(toFile: costs, atomically: true, encoding: .utf8)
      let flags = ["train", "--shape", "64,20,10", "--rank", "40", "--batch", "200"]
      let model = ["--cost-model", costs, "--memory-cap", "40000000"]
      #expect(try train(model + ["--epochs", "2", "--quiet"] + outputs("whole"), flags).status == 0)
      #expect(try train(model + ["--epochs", "1", "--quiet", "--checkpoint", "\(run)-\(name)"], flags).status == 0)
      let result = try train(["--epochs", "2", "--checkpoint", "\(run)-\(name)", "--resume"] + outputs("again"), flags)
      #expect(result.status == 0 && result.output.contains("\nlayer 1    \(word)"), "\(result)")
      try expectSame("whole", "again")
    }
  }

  @Test func inspected() throws {
    #expect(try train(["--epochs", "1", "--quiet", "--checkpoint", run]).status == 0)
    let file = "\(run)/\(checkpoints[0])"
    let result = try Tool.run(["inspect", file])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    for line in [
      "run         step 50, 1 epochs done\n", "data        synthetic\n", "validation  loss ",
      "\nseed                      0\n",
      "\noptimizer                 rngd\n", "model/0/weights/value", "matrix of float32, 30 × 65",
    ] { #expect(result.output.contains(line), "\(line): \(result)") }
    var data = try Data(contentsOf: URL(fileURLWithPath: file))
    data[data.count - 100] ^= 4
    try data.write(to: URL(fileURLWithPath: file))
    let damaged = try Tool.run(["inspect", file])
    #expect(
      damaged.status == 65 && damaged.output.isEmpty && damaged.errors.contains("as it was written"), "\(damaged)")
  }
}
