import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Targets that are numbers, from the arrays of a folder to a log, a model, its predictions and a report.
@Suite final class LossToolTests {
  private let folder: Scratch
  private var model: String { folder.file("m.safetensors") }
  private var log: String { folder.file("run.jsonl") }

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  private func train(_ set: ArraySet, _ arguments: [String]) throws -> [[String: Double]] {
    let result = try Tool.run(
      ["train", "--quiet", "--data", set.path, "--log", log, "--save", model, "--shape", "4,2", "--batch", "15"]
        + arguments)
    #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(arguments): \(result)")
    return try LogLines(path: log).numbers
  }

  private func evaluate(_ set: ArraySet, _ arguments: [String] = []) throws -> [String: Any] {
    let result = try Tool.run(["evaluate", model, "--json", "--data", set.path] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func floats(_ path: String) throws -> [Double] {
    switch try NPYArray(path: path).elements {
    case .float32(let elements): elements.map { Double($0) }
    case .float64(let elements): elements
    }
  }

  /// The test set's z by the weights in the model's file, in double precision.
  private func outputs(_ set: ArraySet) throws -> [Double] {
    let tensors = Dictionary(
      uniqueKeysWithValues: try Safetensors(path: model).tensors.map { ($0.name, $0.elements) })
    guard case .float32(let w)? = tensors["layers.0.weight"], case .float32(let b)? = tensors["layers.0.bias"] else {
      throw CancellationError()
    }
    let x = try floats(set.folder.file("x_test.npy"))
    return (0..<60).map { place in
      let (s, i) = (place / 2, place % 2)
      return (0..<4).reduce(Double(b[i])) { $0 + x[4 * s + $1] * Double(w[4 * i + $1]) }
    }
  }

  private func predict(_ set: ArraySet) throws -> [Double] {
    let out = folder.file("P.npy")
    let result = try Tool.run(["predict", model, "--data", set.path, "--out", out])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(try NPYArray(path: out).shape == [30, 2])
    return try floats(out)
  }

  @Test(arguments: ["rngd", "sgd", "adam"]) func numbers(optimizer: String) throws {
    let set = try ArraySet(.numbers)
    defer { set.remove() }
    let rate = optimizer == "adam" ? ["--learning-rate", "0.02"] : ["--learning-rate", "0.1"]
    let lines = try train(set, ["--loss", "squared", "--epochs", "60", "--optimizer", optimizer] + rate)
    #expect(lines.count == 61)
    for line in lines { #expect(!line.keys.contains { $0.contains("error") || $0.contains("accuracy") }, "\(line)") }
    // (the noise that is in the targets leaves 2 · 0.1²/2)
    let last = try #require(lines.last?["test_loss"])
    #expect(last < 0.02 && last > 0.004, "\(last)")
    let found = try evaluate(set)
    #expect(found["loss"] as? Double == last && Set(found.keys) == ["split", "samples", "loss"])
    let (p, z) = (try predict(set), try outputs(set))
    #expect(Comparison.normwise(p, z, tolerance: 1e-6).isAllowed)
    let t = try floats(set.folder.file("y_test.npy"))
    let byHand = zip(p, t).reduce(0) { $0 + pow($1.0 - $1.1, 2) / 2 } / 30
    #expect(abs(byHand - last) < 1e-6 * last)
    for (i, weight) in ArraySet.weights.enumerated() {
      guard
        case .float32(let w)? = try Safetensors(path: model).tensors.first(where: { $0.name == "layers.0.weight" })?
          .elements
      else { return }
      #expect(abs(Double(w[i % 2 * 4 + i / 2]) - weight) < 0.1)
    }
    let text = try Tool.run(["evaluate", model, "--data", set.path])
    #expect(text.output == "test: 30 samples of \(set.path)\nloss \(String(format: "%.4f", last))\n", "\(text)")
    let csv = folder.file("P.csv")
    #expect(try Tool.run(["predict", model, "--data", set.path, "--out", csv]).status == 0)
    #expect(try String(contentsOfFile: csv, encoding: .utf8).hasPrefix("number 0,number 1\r\n"))
    let shown = try Tool.run(["inspect", model])
    #expect(shown.output.contains("4 inputs, 2 numbers, 10 parameters"), "\(shown)")
    #expect(shown.output.contains("linear, measured as linear, σ 1.0"), "\(shown)")
  }

  @Test func labels() throws {
    let set = try ArraySet(.labels)
    defer { set.remove() }
    let lines = try train(set, ["--loss", "bernoulli", "--epochs", "40", "--learning-rate", "0.1"])
    let last = try #require(lines.last)
    let found = try evaluate(set)
    #expect(found["loss"] as? Double == last["test_loss"] && found["accuracy"] as? Double == last["test_accuracy"])
    #expect(found["confusion"] == nil)
    let (p, z, t) = (try predict(set), try outputs(set), try floats(set.folder.file("y_test.npy")))
    #expect(Comparison.normwise(p, z.map { 1 / (1 + exp(-$0)) }, tolerance: 1e-6).isAllowed)
    let expected = Reference.bernoulliCrossEntropy(z: z, t: t, n: 30, m: 2, scale: 1)
    #expect(abs(expected.loss / 30 - (last["test_loss"] ?? 0)) < 1e-6)
    #expect(Double(expected.correct) / 30 == last["test_accuracy"] && expected.correct > 24)
    let classes = try Tool.run(["predict", model, "--data", set.path, "--classes", "--out", folder.file("C.npy")])
    #expect(classes.status == 65 && classes.errors.contains("a model of classes, for --classes, found one of labels"))
  }

  /// Integers are classes; the arrays stand for an image folder.
  @Test func classes() throws {
    let set = try ArraySet(.classes)
    defer { set.remove() }
    let lines = try train(set, ["--epochs", "30", "--learning-rate", "0.1", "--validation", "20"])
    #expect(lines.last?["test_accuracy"] ?? 0 > 0.9)
    #expect((try evaluate(set)["confusion"] as? [[Int]])?.joined().reduce(0, +) == 30)
    for (split, count) in [("validation", 20), ("train", 70), ("test", 30)] {
      #expect(try evaluate(set, ["--validation", "20", "--split", split])["samples"] as? Int == count)
    }
    // (by default the last sixth)
    #expect(try evaluate(set, ["--split", "validation"])["samples"] as? Int == 15)
  }

  @Test func view() throws {
    let set = try ArraySet(.numbers)
    defer { set.remove() }
    let result = try Tool.run([
      "train", "--data", set.path, "--loss", "squared", "--epochs", "40", "--shape", "4,2", "--batch", "75",
      "--optimizer",
      "sgd", "--learning-rate", "2.2", "--recoveries", "0", "--stop-early", "2", "--log", log,
    ])
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("4 features, 2 numbers a sample\n"), "\(result)")
    #expect(result.output.contains("network    4-2, relu, squared error\n"), "\(result)")
    #expect(result.output.contains(", accuracy -; peak memory"), "\(result)")
    let lines = try LogLines(path: log).numbers.dropLast()
    let losses = try lines.map { try #require($0["validation_loss"]) }
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(losses.count == best + 3 && losses.count < 40, "\(losses)")
    #expect(
      result.output.contains("stopped after epoch \(losses.count), with the weights of epoch \(best + 1)\n"),
      "\(result)")
    let text = try String(contentsOfFile: log, encoding: .utf8)
    #expect(
      text.contains("{\"event\":\"stopped early\",\"epoch\":\(losses.count),\"best_epoch\":\(best + 1)}\n"), "\(text)")
    #expect(text.contains("\"loss\":\"squared\""))
  }

  /// A report of such a log has a dash for what there is not, and no loss is ranked with one of another kind.
  @Test func report() throws {
    let set = try ArraySet(.numbers)
    let labels = try ArraySet(.labels)
    defer {
      set.remove()
      labels.remove()
    }
    let epochs = try train(set, ["--loss", "squared", "--epochs", "30", "--optimizer", "sgd", "--stop-early", "30"])
    let markdown = try Tool.run(["report", log, "--format", "markdown"])
    #expect(markdown.status == 0 && markdown.errors.isEmpty, "\(markdown)")
    let loss = String(format: "%.4f", try #require(epochs[29]["train_loss"]))
    let row = markdown.output.split(separator: "\n").filter { $0.contains("| \(loss) |") }
    #expect(row.count == 1 && row.allSatisfy { $0.contains("| \(loss) | – | – | – |") }, "\(markdown)")
    #expect(!markdown.output.contains("%") && !markdown.output.contains("failed:"), "\(markdown)")
    let csv = try Tool.run(["report", log, "--format", "csv"])
    let heads = csv.output.components(separatedBy: "\r\n")[0].components(separatedBy: ",")
    #expect(csv.output.components(separatedBy: "\r\n").count == 32)
    #expect(heads.contains("train_error"))
    let page = folder.file("page.html")
    let html = try Tool.run(["report", log, "--out", page])
    #expect(html.status == 0, "\(html)")
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(text.contains("training loss by epoch") && !text.contains("validation accuracy by epoch"))
    let other = folder.file("other.jsonl")
    try FileManager.default.moveItem(atPath: log, toPath: other)
    _ = try train(labels, ["--loss", "bernoulli", "--epochs", "1"])
    let mixed = try Tool.run(["report", other, log, "--format", "csv"])
    #expect(mixed.status == 65 && mixed.output.isEmpty, "\(mixed)")
    #expect(mixed.errors.contains("\(log): expected a log of the squared loss, as those before it, found bernoulli"))
  }

  @Test func refusals() throws {
    let set = try ArraySet(.numbers)
    let classes = try ArraySet(.classes)
    defer {
      set.remove()
      classes.remove()
    }
    func expect(_ arguments: [String], _ status: Int32, _ words: String, in set: ArraySet) throws {
      let result = try Tool.run(["train", "--quiet", "--epochs", "1", "--data", set.path] + arguments)
      #expect(result.status == status && result.output.isEmpty, "\(words): \(result)")
      #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains(words), "\(words): \(result)")
    }
    try expect([], 65, "\(set.path): expected classes for softmax cross-entropy, found numbers", in: set)
    try expect(["--loss", "bernoulli"], 65, "expected numbers from 0 to 1 for Bernoulli cross-entropy", in: set)
    try expect(["--loss", "squared"], 65, "expected numbers for squared error, found classes", in: classes)
    try expect(
      ["--loss", "squared", "--shape", "4,3"], 65, "3 numbers a sample, the network's outputs, found 2", in: set)
    try expect(["--loss", "hinge"], 64, "hinge", in: set)
    try expect(["--stop-early", "0"], 64, "--stop-early: expected 1 epoch or more, found 0", in: set)
    for (name, numbers, descr, shape, words) in [
      ("y_train", [1, 2], "<f4", [2], "y_train.npy: expected targets of 90 samples, as many as it has x, found 2"),
      (
        "y_train", [1], "<f4", [],
        "y_train.npy: expected a target for each sample, or a row of them (1 or 2 dimensions)"
      ),
      ("y_train", Array(repeating: 1, count: 270), "<f4", [90, 3], "y_test.npy: expected 3 numbers a sample like"),
      (
        "y_train", Array(repeating: 1, count: 90), "<i8", [90],
        "y_test.npy: expected classes like y_train.npy, found numbers"
      ),
      (
        "y_train", Array(repeating: -1, count: 90), "<i8", [90],
        "expected classes from 0 to 16777215, found -1 at index (0,)"
      ),
      ("y_train", Array(repeating: 1e300, count: 90), "<f8", [90], "too large for float32"),
      ("y_train", Array(repeating: .nan, count: 90), "<f8", [90], "expected finite numbers, found nan at index (0,)"),
      ("x_train", Array(repeating: 1, count: 90), "<f4", [90], "x_train.npy: expected samples, each with its features"),
      ("x_train", [], "<f4", [0, 4], "x_train.npy: expected samples, each with its features"),
      ("x_test", Array(repeating: 1, count: 90), "<f4", [30, 3], "x_test.npy: expected 4 features a sample like"),
    ] as [(String, [Double], String, [Int], String)] {
      let other = try ArraySet(.numbers)
      defer { other.remove() }
      try other.write(name, numbers, descr, shape)
      try expect(["--loss", "squared"], 65, words, in: other)
    }
    try FileManager.default.removeItem(atPath: set.folder.file("x_test.npy"))
    try expect(
      [], 65, "expected x_train.npy, y_train.npy, x_test.npy, y_test.npy, found no x_test.npy", in: set)
    // A model of numbers is not evaluated by classes.
    let numbers = try ArraySet(.numbers)
    defer { numbers.remove() }
    _ = try train(numbers, ["--loss", "squared", "--epochs", "1"])
    for command in [["evaluate", model], ["predict", model, "--out", folder.file("P.npy")]] {
      let result = try Tool.run(command + ["--data", classes.path])
      #expect(
        result.status == 65
          && result.errors.contains("\(classes.path): expected numbers for squared error, found classes"),
        "\(result)")
    }
  }
}
