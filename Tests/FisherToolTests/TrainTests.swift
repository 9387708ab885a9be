import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// `fisher train` where all is well: its log, its views, its data.
@Suite struct TrainTests {
  private func lines(_ path: String) throws -> [[String: Double]] { try LogLines(path: path).numbers }

  @Test func logAndTable() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("run.jsonl")
    let result = try Tool.run(["train", "--epochs", "2", "--log", log])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(folder.contents == ["run.jsonl"])
    let found = try lines(log)
    try #require(found.count == 3)
    for (index, line) in found.dropLast().enumerated() {
      #expect(
        Set(line.keys) == [
          "epoch", "step", "seconds", "train_loss", "train_error", "validation_loss", "validation_accuracy",
        ])
      #expect(line["epoch"] == Double(index + 1) && line["step"] == Double(200 * (index + 1)))
    }
    #expect(Set(found[2].keys) == ["test_loss", "test_accuracy", "peak_memory_bytes"])
    let header = try LogLines(path: log).header
    #expect(header["command"] as? String == "fisher train --epochs 2 --log \(log)")
    #expect(header["kind"] as? String == "training" && header["version"] as? String == FisherKitVersion.current)
    #expect(header["seed"] as? Int == 0 && header["learning_rate"] as? Double == 0.01)
    let machine = try #require(header["machine"] as? [String: Any])
    #expect(Set(machine.keys) == ["system", "processor", "cores", "level"] && header["threads"] as? Int ?? 0 > 0)
    let bounds = try LogLines(path: log).bounds
    #expect(bounds.count == 2 && bounds.allSatisfy { Set($0.keys) == ["layer 1", "layer 2", "layer 3", "layer 4"] })
    #expect(bounds.joined().allSatisfy { (0...1).contains($0.value) })
    #expect(found[1]["train_loss"]! < found[0]["train_loss"]! && found[0]["train_loss"]! < 1.2)
    #expect((0...1).contains(found[2]["test_accuracy"]!) && found[2]["peak_memory_bytes"]! > 1e6)
    // The table shows the same losses; nothing redraws itself where there is no terminal.
    #expect(result.output.contains(String(format: "%.4f", found[1]["train_loss"]!)))
    #expect(!result.output.contains("\r") && !result.output.contains("\u{1B}"))
  }

  @Test func quietPrintsNothing() throws {
    let result = try Tool.run(["train", "--epochs", "1", "--optimizer", "sgd", "--quiet"])
    #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
  }

  /// The same seed gives the same log but for the seconds.
  @Test func sameSeedSameLog() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for name in ["a", "b"] {
      let result = try Tool.run([
        "train", "--epochs", "2", "--seed", "3", "--quiet", "--metric", "projected", "--log", folder.file(name),
      ])
      #expect(result.status == 0, "\(result)")
    }
    func losses(_ name: String) throws -> [[String: Double]] {
      try lines(folder.file(name)).map { $0.filter { $0.key != "seconds" && $0.key != "peak_memory_bytes" } }
    }
    #expect(try losses("a") == losses("b"))
  }

  @Test(arguments: [
    ["--optimizer", "sgd"], ["--optimizer", "momentum"], ["--optimizer", "adam"], ["--metric", "shared"],
    ["--pair", "3"], ["--pair", "1", "--pair", "2", "--activation", "tanh"],
    ["--metric", "auto", "--rank", "20", "--window-samples", "200", "--memory-cap", "300000"], ["--profile"],
    ["--metric", "paper"], ["--metric", "exact", "--damping", "0.01", "--refresh", "20", "--learning-rate", "0.02"],
    ["--activation", "tanh"], ["--activation", "sigm"], ["--activation", "elu", "--alpha", "0.5"],
    ["--activation", "linear"], ["--activation", "relu", "--omega", "0", "--iota", "0.1"],
    ["--activation", "softplus"], ["--activation", "leaky-relu", "--iota", "0"], ["--activation", "gelu"],
    ["--activation", "silu"],
    ["--shape", "64,10"], ["--shape", "64,30,12"], ["--batch", "7", "--threads", "1", "--learning-rate", "0.001"],
    ["--l2", "0"], ["--batch-norm", "--optimizer", "sgd"], ["--batch-norm", "--optimizer", "momentum"],
    ["--batch-norm", "--optimizer", "adam"], ["--batch-norm"], ["--batch-norm", "--metric", "paper"],
    ["--batch-norm", "--batch-norm-blocks", "--spread-refresh", "--drift", "0.1"],
    ["--batch-norm", "--batch-norm-blocks", "--metric", "paper", "--shape", "64,8,10"],
    ["--batch-norm", "--shape", "64,10"],
  ])
  func options(arguments: [String]) throws {
    let result = try Tool.run(["train", "--epochs", "1"] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty, "\(arguments): \(result)")
  }

  /// The network's line says that there is batch normalisation, and the plan which blocks measure it.
  @Test func batchNormalization() throws {
    let plain = try Tool.run(["train", "--epochs", "1", "--batch-norm"])
    #expect(plain.output.contains("relu, batch normalisation\n"), "\(plain)")
    #expect(!plain.output.contains("blocks of order 2,"), "\(plain)")
    let none = try Tool.run(["train", "--epochs", "1", "--batch-norm", "--shape", "64,10"])
    #expect(none.output.contains("64-10, relu\n"), "\(none)")
    let blocks = try Tool.run(["train", "--epochs", "1", "--batch-norm", "--batch-norm-blocks"])
    #expect(blocks.output.contains("relu, batch normalisation in 2×2 blocks\n"), "\(blocks)")
    #expect(blocks.output.contains("layer 3: batch normalisation 80 blocks of order 2,"), "\(blocks)")
  }

  /// OMP_NUM_THREADS counts, unless --threads says otherwise.
  @Test func threads() throws {
    for (arguments, environment, threads) in [
      ([], "1", 1), ([], "3", 3), (["--threads", "2"], "3", 2),
    ] as [([String], String, Int)] {
      let result = try Tool.run(["train", "--epochs", "1"] + arguments, environment: ["OMP_NUM_THREADS": environment])
      #expect(result.status == 0, "\(result)")
      #expect(result.output.contains("computing  \(threads) threads,"), "\(environment) \(arguments): \(result)")
    }
  }

  /// Image folders of any size and number of classes, plain and gzip; the network learns them.
  @Test(arguments: [false, true])
  func imageFolder(gzip: Bool) throws {
    let set = try ImageSet(rows: 5, columns: 3, classes: 5, gzip: gzip)
    let folder = try Scratch()
    defer {
      set.remove()
      folder.remove()
    }
    let log = folder.file("log")
    let result = try Tool.run([
      "train", "--data", set.path, "--epochs", "20", "--batch", "10", "--validation", "30", "--log", log,
    ])
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("15-80-80-80-5"))
    let found = try lines(log)
    #expect(found.count == 21 && found[19]["train_error"] == 0 && found[20]["test_accuracy"] == 1, "\(found)")
  }

  /// The plan is printed, with what it took in the end; costs are measured once and kept in a file.
  @Test func plan() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let model = folder.file("costs.json")
    let first = try Tool.run([
      "train", "--epochs", "1", "--shape", "64,100,10", "--rank", "20", "--profile", "--cost-model", model,
    ])
    #expect(first.status == 0 && first.errors.isEmpty, "\(first)")
    for words in ["layer 1    projected, rank 20 of 65", "layer 2    projected", "expected ", "planned ", "refresh: "] {
      #expect(first.output.contains(words), "\(words): \(first)")
    }
    for phase in ["gather", "forward", "backward", "observe", "refresh", "precondition", "update", "all"] {
      #expect(first.output.contains("\n\(phase) "), "\(phase): \(first)")
    }
    let costs = try String(contentsOfFile: model, encoding: .utf8)
    #expect(try Tool.run(["train", "--epochs", "1", "--quiet", "--cost-model", model]).status == 0)
    #expect(try String(contentsOfFile: model, encoding: .utf8) == costs)
    try "{}".write(toFile: model, atomically: true, encoding: .utf8)
    let refused = try Tool.run(["train", "--cost-model", model])
    #expect(refused.status == 65 && refused.errors.contains("costs.json") && refused.errors.contains("bandwidth"))
  }

  @Test func help() throws {
    let result = try Tool.run(["train", "--help"])
    #expect(result.status == 0)
    for flag in [
      "--data", "--shape", "--activation", "--optimizer", "--metric", "--learning-rate", "--damping", "--refresh",
      "--batch", "--l2", "--epochs", "--seed", "--threads", "--log", "--quiet", "--omega", "--iota", "--alpha",
      "--rank",
      "--window-samples", "--memory-cap", "--cost-model", "--profile", "--pair",
      "--batch-norm", "--batch-norm-blocks", "--damping-rule", "--trust-region", "--normalize-steps",
      "--no-early-refreshes", "--save", "--checkpoint", "--checkpoint-every", "--checkpoint-keep", "--resume",
    ] { #expect(result.output.contains(flag), "\(flag)") }
    // (the help is wrapped where the line is full)
    let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("elu, gelu, leaky-relu, linear, relu, sigm, silu, softplus, tanh"))
    #expect(try Tool.run(["--version"]).status == 0)
  }
}
