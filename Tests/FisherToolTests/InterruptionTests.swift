import FisherKit
import Foundation
import Testing

@testable import FisherKitTool

/// SIGINT and SIGTERM: what was done stays and can be read, what is of no use in part goes, one line, 130 or 143.
@Suite final class InterruptionTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  /// A run in the background, its errors in a file.
  private func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = Tool.executable("fisher")
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    _ = FileManager.default.createFile(atPath: folder.file("errors"), contents: nil)
    process.standardError = FileHandle(forWritingAtPath: folder.file("errors"))
    process.standardOutput = FileHandle.nullDevice
    try process.runWithSignals()
    return process
  }

  /// Sends the signal as soon as `isTime`, and waits.
  private func end(_ process: Process, by signals: [Int32], when isTime: () -> Bool) throws -> Tool.Result {
    while process.isRunning, !isTime() { usleep(5000) }
    for (index, signal) in signals.enumerated() {
      if index > 0 { usleep(100_000) }
      kill(process.processIdentifier, signal)
    }
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    return Tool.Result(status: process.terminationStatus, output: "", errors: text("errors"))
  }

  private func text(_ name: String) -> String {
    (try? String(contentsOfFile: folder.file(name), encoding: .utf8)) ?? ""
  }
  private func lines(_ name: String) -> Int { text(name).count { $0 == "\n" } }

  private let long = ["train", "--epochs", "100000", "--optimizer", "sgd", "--quiet", "--log", "run.jsonl"]

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)]) func training(signal: Int32, status: Int32)
    throws
  {
    let process = try start(long)
    let part = "run.jsonl.partial-\(process.processIdentifier)"
    let result = try end(process, by: [signal]) { self.lines(part) >= 3 }
    #expect(result.status == status && result.errors.count { $0 == "\n" } == 1, "\(result)")
    // (the first line says what made it)
    let epochs = lines("run.jsonl") - 1
    #expect(epochs >= 2 && result.errors.contains("the log of \(epochs) epochs is run.jsonl"), "\(result)")
    #expect(Set(folder.contents) == ["run.jsonl", "errors"])
    let report = try Tool.run(["report", folder.file("run.jsonl"), "--format", "csv"])
    #expect(report.status == 0 && report.output.split(whereSeparator: \.isNewline).count == 1 + epochs, "\(report)")
  }

  /// An older log is worth more than half a new one.
  @Test func trainingOverAnOlderLog() throws {
    try "older".write(toFile: folder.file("run.jsonl"), atomically: true, encoding: .utf8)
    let process = try start(long)
    let part = "run.jsonl.partial-\(process.processIdentifier)"
    let result = try end(process, by: [SIGINT]) { self.lines(part) >= 2 }
    #expect(result.status == 130 && result.errors.contains(part), "\(result)")
    #expect(text("run.jsonl") == "older")
    #expect(try Tool.run(["report", folder.file(part), "--format", "csv"]).status == 0)
    // The next run that is whole takes both places.
    #expect(try Tool.run(["train", "--epochs", "1", "--quiet", "--log", folder.file("run.jsonl")]).status == 0)
    #expect(Set(folder.contents) == ["run.jsonl", "errors"])
  }

  /// A network that is not done is not kept, and an older one stays.
  @Test(arguments: [SIGINT, SIGTERM]) func savedModel(signal: Int32) throws {
    let older = "older"
    try older.write(toFile: folder.file("m.safetensors"), atomically: true, encoding: .utf8)
    let process = try start(long + ["--save", "m.safetensors"])
    let part = "run.jsonl.partial-\(process.processIdentifier)"
    let result = try end(process, by: [signal]) { self.lines(part) >= 3 }
    #expect(result.status == 128 + signal && result.errors.count { $0 == "\n" } == 1, "\(result)")
    #expect(result.errors.contains("m.safetensors was not written"), "\(result)")
    #expect(text("m.safetensors") == older && Set(folder.contents) == ["run.jsonl", "m.safetensors", "errors"])
  }

  /// Before an epoch is done there is nothing to keep: while data are read, while steps are taken.
  @Test(arguments: [0, 300_000]) func trainingWithoutAnEpoch(delay: UInt32) throws {
    let process = try start(
      ["train", "--metric", "exact", "--refresh", "1", "--shape", "64,300,300,10", "--quiet", "--log", "run.jsonl"])
    let result = try end(process, by: [SIGTERM]) {
      if self.folder.contents.count < 2 { return false }
      usleep(delay)
      return true
    }
    #expect(result.status == 143 && result.errors.count { $0 == "\n" } <= 1, "\(result)")
    #expect(folder.contents == ["errors"])
  }

  /// A second signal does not wait for the step.
  @Test func twice() throws {
    let process = try start(
      ["train", "--metric", "exact", "--refresh", "1", "--damping", "1", "--shape", "64,1200,10", "--quiet"])
    let start = ContinuousClock.now
    let result = try end(process, by: [SIGINT, SIGINT]) { ContinuousClock.now - start > .seconds(1) }
    #expect(result.status == 130, "\(result)")
  }

  @Test func experiment() throws {
    let (_, costs) = try SmallExperiment.prepare(folder)
    let command = ["experiment", "grid.json", "--log", "e.jsonl", "--cost-model", costs, "--jobs", "2"]
    let process = try start(command)
    let result = try end(process, by: [SIGINT]) { self.lines("e.jsonl") >= 3 }
    #expect(result.status == 130 && result.errors.count { $0 == "\n" } == 1, "\(result)")
    let done = lines("e.jsonl") - 1
    #expect(done >= 2 && result.errors.contains("\(done) of \(SmallExperiment.runs) runs are in the log"), "\(result)")
    #expect(try Tool.run(["report", folder.file("e.jsonl"), "--format", "csv"]).status == 0)
    let rest = try start(command)
    rest.waitUntilExit()
    #expect(rest.terminationStatus == 0)
    let records = try SmallExperiment.records(folder.file("e.jsonl"))
    #expect(records.count == SmallExperiment.runs && Set(records.map(\.arguments)).count == SmallExperiment.runs)
  }

  @Test func arrays() throws {
    for (name, shape) in [("x", [4000, 400]), ("w", [400, 401])] {
      let numbers = (0..<shape[0] * shape[1]).map { sin(Double($0)) }
      try NPYArray(shape: shape, elements: .float64(numbers)).write(to: folder.file("\(name).npy"))
    }
    let process = try start(
      [
        "rfim", "--subsystem", "layer", "--activation", "tanh", "--inputs", "x.npy", "--weights", "w.npy", "--out",
        "g.npy",
      ])
    let result = try end(process, by: [SIGTERM]) { self.folder.contents.contains { $0.hasPrefix("g.npy.partial-") } }
    #expect(result.status == 143 && result.errors.isEmpty, "\(result)")
    #expect(Set(folder.contents) == ["errors", "x.npy", "w.npy"])
  }

  /// A shell without job control lets its background ignore SIGINT; timeout(1) sends its signal twice at once.
  @Test func shells() throws {
    let fisher = Tool.executable("fisher").path
    let train = "'\(fisher)' train --epochs 100000 --optimizer sgd --quiet"
    for command in ["\(train) & sleep 2; kill -INT $!; wait $!", "timeout --preserve-status -s INT 2 \(train)"] {
      let result = try Tool.run(["-c", command], executable: "/bin/sh")
      #expect(result.status == 130 && result.errors.contains("interrupted by SIGINT"), "\(command): \(result)")
    }
  }
}
