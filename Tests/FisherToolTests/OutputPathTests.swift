import FisherKit
import Foundation
import Testing

/// Where the tool writes: a path of no use is the command line's fault, a full disk is not, and what a command reads is
/// never written over.
@Suite final class OutputPathTests {
  private let folder: Scratch

  init() throws {
    folder = try Scratch()
    for (name, shape) in [("x", [6, 3]), ("w", [4, 4]), ("c", [2, 5]), ("v", [4, 4])] {
      let numbers = (0..<shape[0] * shape[1]).map { sin(Double($0) * 1.7 + Double(shape[0])) }
      try NPYArray(shape: shape, elements: .float64(numbers)).write(to: folder.file("\(name).npy"))
    }
    let small = SmallExperiment.grid.replacingOccurrences(of: "0.1, 0.01, 1e20", with: "0.1")
      .replacingOccurrences(of: #""selection_seeds": 2, "seeds": 3"#, with: #""seeds": 1"#)
    try small.write(toFile: folder.file("grid.json"), atomically: true, encoding: .utf8)
    let epoch = #"{"epoch":1,"step":1,"seconds":1,"train_loss":1,"train_error":0.5,"validation_loss":1,"#
    try
      (epoch + #""validation_accuracy":0.5}"# + "\n"
      + #"{"test_loss":1,"test_accuracy":0.5,"peak_memory_bytes":1}"# + "\n")
      .write(toFile: folder.file("log.jsonl"), atomically: true, encoding: .utf8)
    try Sequential<Float>.perceptron(shape: [64, 10], activation: Tanh(), batchCapacity: 1)
      .write(to: folder.file("m.safetensors"))
  }

  deinit { folder.remove() }

  /// Commands that write OUT; words with a dot are files of the folder.
  private static let commands = [
    "train --epochs 1 --optimizer sgd --quiet --log OUT",
    "train --epochs 1 --quiet --cost-model OUT",
    "train --epochs 1 --optimizer sgd --quiet --save OUT",
    "predict m.safetensors --out OUT", "predict m.safetensors --classes --out OUT",
    "experiment grid.json --quiet --log OUT",
    "experiment grid.json --quiet --log e.jsonl --cost-model OUT",
    "report log.jsonl --out OUT", "report log.jsonl --format csv --out OUT",
    "rfim --subsystem layer --activation tanh --inputs x.npy --weights w.npy --out OUT",
    "solve --subsystem softmax --inputs x.npy --weights w.npy --gradient v.npy --damping 1 --out OUT",
  ]

  private func run(_ command: String, out: String) throws -> Tool.Result {
    let words = command.split(separator: " ").map { word in
      word == "OUT" ? out : word.contains(".") ? folder.file(String(word)) : String(word)
    }
    return try Tool.run(words)
  }

  @Test(arguments: commands) func unusable(command: String) throws {
    try "".write(toFile: folder.file("plain"), atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: folder.file("loop"), withDestinationPath: "loop")
    try FileManager.default.createSymbolicLink(atPath: folder.file("astray"), withDestinationPath: "none/file")
    let before = Set(folder.contents + ["e.jsonl"])
    for path in [
      folder.file("none/out"), folder.path, folder.path + "/", folder.file("plain/out"), folder.file("loop"),
      folder.file("astray"), folder.file(String(repeating: "x", count: 300)), "/proc/out", "/dev/none",
    ] {
      let result = try run(command, out: path)
      #expect(result.status == 64 && result.output.isEmpty, "\(command), \(path): \(result)")
      #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains("expected "), "\(path): \(result)")
      #expect(Set(folder.contents).union(["e.jsonl"]) == before, "\(command), \(path) left \(folder.contents)")
    }
  }

  #if os(Linux)
    @Test(arguments: commands) func fullDisk(command: String) throws {
      let result = try run(command, out: "/dev/full")
      #expect(result.status == 70 && result.output.isEmpty, "\(command): \(result)")
      #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains("/dev/full"), "\(result)")
      #expect(try run(command, out: "/dev/null").status == 0)
    }
  #endif

  /// A file-size limit is as a full disk, and leaves nothing of what is of no use in part.
  @Test func fileSizeLimit() throws {
    let fisher = Tool.executable("fisher").path
    let words = "rfim --subsystem softmax --inputs x.npy --weights w.npy --out g.npy"
    let command = "cd '\(folder.path)'; (ulimit -f 1; exec '\(fisher)' \(words) 2>&1) | cat; exit ${PIPESTATUS[0]}"
    let result = try Tool.run(["-c", command], executable: "/bin/bash")
    #expect(result.status == 70 && result.output.count { $0 == "\n" } == 1, "\(result)")
    #expect(!folder.contents.contains { $0.hasPrefix("g.npy") }, "\(folder.contents)")
  }

  /// By whatever name: the same, another spelling, a link, a second name.
  @Test(arguments: ["x.npy", "w.npy", "c.npy", "v.npy"]) func ownInputs(name: String) throws {
    let file = folder.file(name)
    let before = try Data(contentsOf: URL(fileURLWithPath: file))
    try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: name)
    try FileManager.default.linkItem(atPath: file, toPath: folder.file("second"))
    let arrays = "--inputs x.npy --weights w.npy"
    for out in [file, folder.path + "/./" + name, folder.file("link"), folder.file("second")] {
      var commands = [
        "rfim --subsystem two-layers --activation tanh --outer-activation softmax --outer-weights c.npy \(arrays) --out OUT"
      ]
      commands.append("solve --subsystem softmax \(arrays) --gradient v.npy --damping 1 --out OUT")
      for command in commands where command.contains(name) {
        let result = try run(command, out: out)
        #expect(result.status == 64 && result.errors.contains("another file than that of"), "\(command): \(result)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
      }
    }
    #expect(!folder.contents.contains { $0.contains("partial") })
  }

  /// Whole, begun, or with its first line cut off.
  @Test func logOfAnExperiment() throws {
    let log = folder.file("e.jsonl")
    #expect(try run("experiment grid.json --quiet --log OUT", out: log).status == 0)
    let whole = try String(contentsOfFile: log, encoding: .utf8)
    let runs = whole.split(separator: "\n").dropFirst().joined(separator: "\n")
    for text in [whole, String(whole.split(separator: "\n")[0]), runs, String(whole.prefix(40)), runs.prefix(90) + ""] {
      try text.write(toFile: log, atomically: true, encoding: .utf8)
      let result = try run("train --epochs 1 --quiet --log OUT", out: log)
      #expect(result.status == 64 && result.errors.contains("found a log of fisher experiment"), "\(result)")
      #expect(try String(contentsOfFile: log, encoding: .utf8) == text)
    }
    try whole.write(toFile: log, atomically: true, encoding: .utf8)
    #expect(try run("train --epochs 1 --quiet --log OUT", out: folder.file("log.jsonl")).status == 0)
  }

  /// A log that a run is writing is closed to all others; the first is not disturbed.
  @Test func aLogThatIsBeingWritten() throws {
    let log = folder.file("run.jsonl")
    let first = Process()
    first.executableURL = Tool.executable("fisher")
    first.arguments = ["train", "--epochs", "30000", "--optimizer", "sgd", "--quiet", "--log", log]
    try first.runWithSignals()
    defer { first.terminate() }
    let part = "run.jsonl.partial-\(first.processIdentifier)"
    while !folder.contents.contains(part), first.isRunning { usleep(10_000) }
    for command in Self.commands where command.contains("--log OUT") || command.contains("--out OUT") {
      let result = try run(command, out: log)
      #expect(result.status == 64 && result.errors.contains("no other run writes"), "\(command): \(result)")
    }
    #expect(first.isRunning && folder.contents.contains(part) && !folder.contents.contains("run.jsonl"))
  }
}
