import FisherKitTestSupport
import Foundation
import Testing

/// What `fisher train` refuses: one line that says what, where, expected and found; the exit status of the contract;
/// nothing half-written.
@Suite struct RefusalTests {
  private func expectRefusal(
    _ arguments: [String], status: Int32, words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(["train", "--log", folder.file("log")] + arguments)
    #expect(result.status == status, "\(arguments): \(result)", sourceLocation: sourceLocation)
    let message = result.errors
    #expect(message.hasPrefix("fisher: "), "\(arguments): \(result)", sourceLocation: sourceLocation)
    #expect(message.filter { $0 == "\n" }.count == 1, "one line: \(message)", sourceLocation: sourceLocation)
    for word in words { #expect(message.contains(word), "\(arguments): \(message)", sourceLocation: sourceLocation) }
    #expect(folder.contents.isEmpty, "\(arguments) left \(folder.contents)", sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    (["--metric", "nonsense"], ["nonsense"]),
    (["--rank", "0"], ["--rank", "0"]), (["--rank", "1.5", "--metric", "projected"], ["--rank", "1.5"]),
    (["--rank", "64", "--metric", "exact"], ["--rank", "auto or projected", "exact"]),
    (["--rank", "0.9"], ["--rank", "whole number", "share"]),
    (["--window-samples", "0"], ["--window-samples", "1 or more", "0"]),
    (["--window-samples", "9", "--metric", "paper"], ["--window-samples", "window", "paper"]),
    (["--window-samples", "9", "--optimizer", "sgd"], ["--window-samples", "rngd", "sgd"]),
    (["--trust-region", "-1"], ["--trust-region", "from 0 to 1e30", "-1"]),
    (["--normalize-steps", "--trust-region", "0"], ["--normalize-steps", "above 0"]),
    (["--optimizer", "sgd", "--trust-region", "1"], ["--trust-region", "rngd", "sgd"]),
    (["--optimizer", "sgd", "--damping-rule", "relative"], ["--damping-rule", "rngd", "sgd"]),
    (["--damping-rule", "nonsense"], ["--damping-rule", "nonsense", "adaptive-relative"]),
    (["--drift", "1"], ["--drift", "(0, 1)", "1"]),
    (["--drift", "0.1", "--optimizer", "adam"], ["--drift", "rngd"]),
    (["--spread-refresh", "--optimizer", "sgd"], ["--spread-refresh", "rngd", "sgd"]),
    (["--memory-cap", "0"], ["--memory-cap", "1 byte or more", "0"]),
    (["--memory-cap", "9", "--metric", "exact"], ["--memory-cap", "auto", "exact"]),
    (["--decay", "1", "--metric", "average"], ["--decay", "[0, 1)", "1"]),
    (["--decay", "0.5", "--metric", "exact"], ["--decay", "average", "exact"]),
    (["--cost-model", "x", "--metric", "paper"], ["--cost-model", "auto", "paper"]),
    (["--checkpoint", ""], ["--checkpoint", "a folder", "an empty name"]),
    (["--checkpoint", "/no/such/run"], ["--checkpoint: /no/such/run", "a folder for checkpoints", "No such file"]),
    (["--resume"], ["--resume", "--checkpoint with the folder", "none"]),
    (["--resume", "x"], ["--resume", "--checkpoint with the folder", "none"]),
    (["--checkpoint-every", "3"], ["--checkpoint-every", "--checkpoint with the folder", "none"]),
    (["--checkpoint-keep", "3"], ["--checkpoint-keep", "--checkpoint with the folder", "none"]),
    (["--checkpoint", "x", "--checkpoint-every", "0"], ["--checkpoint-every", "1 step or more", "0"]),
    (["--checkpoint", "x", "--checkpoint-keep", "0"], ["--checkpoint-keep", "1 checkpoint or more", "0"]),
    (["--batch-norm-blocks"], ["--batch-norm-blocks", "expected --batch-norm,"]),
    (
      ["--batch-norm", "--batch-norm-blocks", "--optimizer", "adam"],
      ["--batch-norm-blocks", "expected --optimizer rngd", "adam"]
    ),
    (["--batch-norm", "--batch", "1"], ["--batch", "2 or more with --batch-norm", "found 1"]),
    (["--batch-norm", "--pair", "1"], ["--pair", "nothing between", "--batch-norm"]),
    (["--learning-rate", "0"], ["--learning-rate", "1e-30 to 1e30", "0"]), (["--learning-rate", "fast"], ["fast"]),
    (["--damping", "-1"], ["damping"]), (["--damping=-0.5"], ["--damping", "from 0 to 1e30", "-0.5"]),
    (["--pair", "0"], ["--pair", "1 up", "0"]), (["--pair", "4"], ["--pair", "1 to 3", "4"]),
    (["--pair", "1", "--metric", "shared"], ["--pair", "auto, exact, projected, kernel or kronecker", "shared"]),
    (["--pair", "1", "--optimizer", "sgd"], ["--pair", "rngd", "sgd"]),
    (["--refresh", "0"], ["--refresh", "from 1 up", "0"]), (["--batch", "0"], ["--batch", "1", "0"]),
    (["--epochs", "0"], ["--epochs", "1 or more", "0"]), (["--l2=-1"], ["--l2", "from 0 to 1e30", "-1"]),
    (["--threads", "0"], ["--threads", "1 to 4096", "0"]), (["--seed", "x"], ["x"]),
    (["--shape", "784"], ["two or more", "784"]), (["--shape", "64,,10"], ["widths from 1", "64,,10"]),
    (["--shape", "64,0,10"], ["widths from 1"]), (["--activation", "softmax"], ["softmax"]),
    (["--optimizer", "adam", "--damping", "0.1"], ["--damping", "rngd", "adam"]),
    (["--optimizer", "sgd", "--metric", "exact"], ["--metric", "rngd", "sgd"]),
    (["--activation", "tanh", "--omega", "1"], ["--omega", "relu", "tanh"]),
    (["--activation", "softplus", "--omega", "1"], ["--omega", "relu", "softplus"]),
    (["--activation", "leaky-relu", "--omega", "1"], ["--omega", "expected --activation relu, found leaky-relu"]),
    (["--activation", "gelu", "--iota", "0.1"], ["--iota", "expected --activation leaky-relu or relu, found gelu"]),
    (["--activation", "leaky-relu", "--iota=-0.1"], ["--iota", "[0, 1)", "-0.1"]),
    (["--activation", "silu", "--alpha", "1"], ["--alpha", "elu", "silu"]),
    (["--activation", "leakyRelu"], ["leakyRelu", "leaky-relu"]),
    (["--iota", "1"], ["--iota", "[0, 1)", "1"]),
    (["--alpha", "2"], ["--alpha", "elu", "relu"]), (["--validation", "0"], ["--validation", "1 or more", "0"]),
    (["--lr", "-1"], ["--learning-rate", "-1"]), (["--damping", "nan"], ["--damping", "nan"]),
    (["--damping", "1e300"], ["--damping", "1e+300"]), (["--lr", "inf"], ["--learning-rate", "inf"]),
    (["--validation", "9223372036854775807"], ["--validation", "1000000"]),
    (["--threads", "-1"], ["--threads", "-1"]), (["--log", ""], ["--log", "empty"]),
    (["--save", ""], ["--save", "empty"]), (["--save", "/none/x"], ["--save", "/none/x", "No such file"]),
    (["--data", ""], ["--data", "empty"]),
    (["--nonsense"], ["--nonsense"]), (["extra"], ["extra"]),
  ])
  func wrongCommandLine(arguments: [String], words: [String]) throws {
    try expectRefusal(arguments, status: 64, words: words)
  }

  @Test func logThatCannotBeWritten() throws {
    for (path, word) in [("/nonexistent-folder/log", "/nonexistent-folder/log"), (NSTemporaryDirectory(), "a folder")] {
      let result = try Tool.run(["train", "--log", path])
      #expect(result.status == 64 && result.errors.contains(word), "\(result)")
    }
  }

  @Test func badData() throws {
    try expectRefusal(["--data", "/nonexistent-folder"], status: 65, words: ["/nonexistent-folder", "no such folder"])
    try expectRefusal(["--shape", "784,10"], status: 65, words: ["synthetic", "784 features", "found 64"])
    try expectRefusal(["--shape", "64,9"], status: 65, words: ["synthetic", "at most 9 classes", "found 10"])
    for (file, words) in [
      (ImageSet.File.trainImages, ["2880 bytes", "only 2879"]), (.trainLabels, ["240 bytes", "only 239"]),
      (.testImages, ["720 bytes", "only 719"]), (.testLabels, ["60 bytes", "only 59"]),
    ] {
      let set = try ImageSet()
      defer { set.remove() }
      try set.write(file, try set.read(file).dropLast())
      try expectRefusal(["--data", set.path], status: 65, words: [set.path(of: file)] + words)
    }
    let set = try ImageSet()
    defer { set.remove() }
    try expectRefusal(["--data", set.path, "--validation", "240"], status: 65, words: [set.path, "1 to 239", "240"])
    try FileManager.default.removeItem(atPath: set.path(of: .testLabels))
    try expectRefusal(["--data", set.path], status: 65, words: [set.path, "t10k-labels-idx1-ubyte", "neither"])
  }

  /// λ = 0 where the first mini-batch has fewer samples than layer 1 has inputs: what rounding needs is added. Only the
  /// kernel metric, which divides by λ, refuses it.
  @Test(arguments: ["exact", "shared", "projected", "iterative", "diagonal", "average", "paper", "kernel"])
  func rankDeficientWithoutDamping(metric: String) throws {
    let flags = ["--metric", metric, "--damping", "0"]
    if metric == "kernel" {
      return try expectRefusal(flags, status: 64, words: ["damping", "positive", "kernel", "0.0"])
    }
    let result = try Tool.run(["train", "--epochs", "1", "--shape", "64,12,10", "--quiet"] + flags)
    #expect(result.status == 0, "\(result)")
  }

  /// Weights that had gone back as often as they may: a clear stop, and a log of what had been done, as far as it came.
  @Test func divergence() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run([
      "train", "--optimizer", "sgd", "--learning-rate", "1e30", "--quiet", "--log", folder.file("log"),
    ])
    #expect(result.status == 70 && result.output.isEmpty, "\(result)")
    #expect(result.errors.hasPrefix("fisher: step ") && result.errors.count { $0 == "\n" } == 1, "\(result)")
    for word in ["after 10 returns", "not finite", "smaller learning rate"] {
      #expect(result.errors.contains(word), "\(result)")
    }
    let partial = try #require(folder.contents.first)
    #expect(folder.contents.count == 1 && partial.hasPrefix("log.partial-"), "\(folder.contents)")
    let events = try LogLines(path: folder.file(partial)).events
    #expect(events.count { $0 == "went back" } == 10 && Set(events) == ["went back", "batch left out"], "\(events)")
  }

  @Test func memoryThatIsNotThere() throws {
    try expectRefusal(
      ["--shape", "64,2000000000,10"], status: 70, words: ["network 64-2000000000-10", "bytes of memory", "needed"])
    // (each layer alone would fit)
    try expectRefusal(["--shape", "64,200000,200000,10"], status: 70, words: ["64-200000-200000", "at most"])
    try expectRefusal(["--shape", "64,2147483647,2147483647,2147483647,10"], status: 70, words: ["network 64-21"])
  }

  /// A run that fails leaves an older log of that name alone.
  @Test func olderLogStays() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    try "older".write(toFile: folder.file("log"), atomically: true, encoding: .utf8)
    let result = try Tool.run([
      "train", "--optimizer", "sgd", "--learning-rate", "1e30", "--log", folder.file("log"),
    ])
    #expect(result.status == 70)
    #expect(folder.contents.count == 2 && folder.contents.contains { $0.hasPrefix("log.partial-") })
    #expect(try String(contentsOfFile: folder.file("log"), encoding: .utf8) == "older")
  }

  @Test(arguments: [
    (["report"], ["runs"]), ([], ["a command", "none"]), (["nonsense"], ["nonsense"]),
  ])
  func commands(arguments: [String], words: [String]) throws {
    let result = try Tool.run(arguments)
    #expect(result.status == 64 && result.output == "", "\(result)")
    #expect(result.errors.hasPrefix("fisher: ") && result.errors.count { $0 == "\n" } == 1, "\(result)")
    for word in words { #expect(result.errors.contains(word), "\(result)") }
  }

  @Test(arguments: [
    ("OMP_NUM_THREADS", "abc"), ("OMP_NUM_THREADS", "-3"), ("OMP_NUM_THREADS", "2 3"), ("OMP_NUM_THREADS", "999999"),
    ("OMP_NUM_THREADS", "1e3"), ("FISHERKIT_CPU", "nonsense"), ("FISHERKIT_PRODUCTS", "OWN"),
  ])
  func wrongEnvironment(name: String, value: String) throws {
    for tool in ["fisher", "bench-fisher"] {
      let result = try Tool.run(["train", "--epochs", "1"], tool: tool, environment: [name: value])
      #expect(result.status == 64 && result.output == "", "\(result)")
      #expect(result.errors.hasPrefix("\(tool): \(name): expected ") && result.errors.contains(value), "\(result)")
      #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    }
  }
}
