import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// A network that `fisher train --save` keeps, and what predict, evaluate and inspect make of it.
@Suite final class ModelToolTests {
  private let folder: Scratch
  private var model: String { folder.file("m.safetensors") }

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  /// Trains and keeps, and returns the last line of the log.
  private func train(_ arguments: [String], epochs: Int = 1) throws -> [String: Double] {
    let log = folder.file("log")
    let result = try Tool.run(
      ["train", "--epochs", "\(epochs)", "--quiet", "--log", log, "--save", model] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(arguments): \(result)")
    #expect(Set(folder.contents).isSuperset(of: ["log", "m.safetensors"]))
    #expect(!folder.contents.contains { $0.contains("partial") })
    return try #require(try LogLines(path: log).numbers.last)
  }

  private func evaluate(_ arguments: [String]) throws -> [String: Any] {
    let result = try Tool.run(["evaluate", model, "--json"] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty && result.output.count { $0 == "\n" } == 1, "\(result)")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  @Test(arguments: [
    ["--activation", "relu", "--iota", "0.1", "--omega", "0.5"], ["--activation", "elu", "--alpha", "0.3"],
    ["--activation", "leaky-relu"], ["--activation", "gelu", "--batch-norm"],
    ["--activation", "silu", "--batch-norm", "--batch-norm-blocks"], ["--activation", "softplus", "--pair", "2"],
    ["--activation", "tanh", "--optimizer", "adam", "--batch", "1300"],
    ["--activation", "sigm", "--shape", "64,20,12"],
    ["--activation", "linear", "--shape", "64,10", "--seed", "4"],
  ])
  func sameScores(arguments: [String]) throws {
    let trained = try train(arguments)
    let seed = arguments.contains("--seed") ? ["--seed", "4"] : []
    let found = try evaluate(seed)
    #expect(
      found["loss"] as? Double == trained["test_loss"] && found["accuracy"] as? Double == trained["test_accuracy"])
    let confusion = try #require(found["confusion"] as? [[Int]])
    #expect(confusion.joined().reduce(0, +) == 2000 && found["samples"] as? Int == 2000)
    let right = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
    #expect(Double(right) / 2000 == trained["test_accuracy"])
    // The classes that predict writes are right as often, by whichever file.
    let labels = try SyntheticData.make(seed: seed.isEmpty ? 0 : 4).test.labels
    for (name, flags) in [("P.npy", []), ("C.npy", ["--classes"]), ("P.csv", []), ("C.CSV", ["--classes"])] {
      let result = try Tool.run(["predict", model, "--out", folder.file(name)] + seed + flags)
      #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
    }
    let classes = try NPYArray(path: folder.file("C.npy"), rank: 1)
    guard case .float64(let numbers) = classes.elements else { return #expect(Bool(false), "expected int64") }
    #expect(numbers.indices.count { numbers[$0] == Double(labels[$0]) } == right)
    #expect(try csv("C.CSV").map { $0[0] } == ["class"] + numbers.map { "\(Int($0))" })
    let probabilities = try NPYArray(path: folder.file("P.npy"), rank: 2)
    let width = confusion.count
    guard case .float32(let floats) = probabilities.elements else { return #expect(Bool(false), "expected float32") }
    #expect(probabilities.shape == [2000, width])
    for row in 0..<2000 {
      let eta = floats[(row * width)..<((row + 1) * width)]
      #expect(eta.max() == eta[row * width + Int(numbers[row])])
    }
    let lines = try csv("P.csv")
    #expect(lines[0] == (0..<width).map { "class \($0)" } && lines.count == 2001)
    #expect(lines.dropFirst().joined().map { Float($0) } == floats)
  }

  private func csv(_ name: String) throws -> [[String]] {
    let text = try String(contentsOfFile: folder.file(name), encoding: .utf8)
    return text.components(separatedBy: "\r\n").dropLast().map { $0.components(separatedBy: ",") }
  }

  /// Images, all parts of the data, and the table.
  @Test func imageFolder() throws {
    let set = try ImageSet(rows: 5, columns: 3, classes: 5)
    defer { set.remove() }
    let data = ["--data", set.path, "--validation", "30"]
    let trained = try train(["--batch", "10"] + data, epochs: 20)
    for (split, count) in [("train", 210), ("validation", 30), ("test", 60)] {
      let found = try evaluate(data + ["--split", split])
      #expect(
        found["samples"] as? Int == count && found["split"] as? String == split && found["accuracy"] as? Double == 1)
      #expect(found["classes"] == nil)
      let out = folder.file("\(split).npy")
      #expect(try Tool.run(["predict", model, "--out", out, "--split", split] + data).status == 0)
      #expect(try NPYArray(path: out).shape == [count, 5])
    }
    let text = try Tool.run(["evaluate", model] + data)
    #expect(text.status == 0 && text.output.hasPrefix("test: 60 samples of \(set.path)\nloss "), "\(text)")
    #expect(text.output.contains(String(format: "loss %.4f, accuracy 100.00%%", trained["test_loss"]!)), "\(text)")
    #expect(text.output.contains("\n    0   12    0    0    0    0 100.00%\n"), "\(text)")
    // (features of 15 synthetic numbers are no pixels)
    let shown = try Tool.run(["inspect", model])
    #expect(shown.status == 0 && shown.output.contains("features    divided by 255\n"), "\(shown)")
  }

  @Test func inspect() throws {
    _ = try train(["--activation", "elu", "--alpha", "0.25", "--batch-norm", "--shape", "64,7,10"])
    let result = try Tool.run(["inspect", model])
    for words in [
      "64 inputs, 10 classes, 549 parameters in float32, by FisherKit \(FisherKitVersion.current)\n",
      "features    as they are\n",
      "layers.0    layer 1: dense, 64 to 7, elu (alpha 0.25), measured as non-linear, ν of elu (alpha 0.25)\n",
      "layers.1    layer 1: batch normalisation: batch normalisation, 7 channels, decay 0.99, epsilon 0.001\n",
      "layers.2    layer 2: dense, 7 to 10, linear, measured as softmax\n", "layers.0.weight        F32   (7, 64)\n",
      "layers.1.running_var   F32   (7,)\n", "metadata    format: pt\n",
    ] { #expect(result.output.contains(words), "\(words): \(result)") }
    // (by whatever name)
    try FileManager.default.copyItem(atPath: model, toPath: folder.file("kept"))
    #expect(try Tool.run(["inspect", folder.file("kept")]).output == result.output)
    // A file of another library, with what we do not read.
    let header = #"{"__metadata__":{"a":"\u001b[2J"},"w":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#
    try Data(SafetensorsFile.bytes(header: header, elements: Array(repeating: 0, count: 8)))
      .write(to: URL(fileURLWithPath: model))
    let other = try Tool.run(["inspect", model])
    #expect(other.status == 0 && other.output.contains("none of FisherKit's\n"), "\(other)")
    #expect(other.output.contains("w       I64   ()\n") && other.output.contains("a: \\u{1b}[2J"), "\(other)")
  }

  @Test func refusals() throws {
    let set = try ImageSet(rows: 8, columns: 8, classes: 4)
    let wide = try ImageSet(rows: 5, columns: 3, classes: 5)
    defer {
      set.remove()
      wide.remove()
    }
    _ = try train(["--shape", "64,10"])
    try Sequential<Float>.perceptron(shape: [64, 4], activation: Relu(), batchCapacity: 1)
      .write(to: folder.file("four.safetensors"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: model))
    try bytes.dropLast().write(to: URL(fileURLWithPath: folder.file("cut.safetensors")))
    try Safetensors(tensors: []).write(to: folder.file("other.safetensors"))
    let before = Set(folder.contents)
    for (arguments, status, words) in [
      (["m.safetensors", "--data", wide.path], 65, "\(wide.path): expected 64 features, the model's inputs, found 15"),
      (
        ["m.safetensors", "--data", set.path], 65,
        "features divided by 1.0, as the model learned them, found features divided by 255"
      ),
      (["four.safetensors"], 65, "synthetic: expected at most 4 classes, the model's outputs, found 10"),
      (["cut.safetensors"], 65, "cut.safetensors: expected 2600 bytes of elements, found only 2599"),
      (["other.safetensors"], 65, "other.safetensors: expected a model of FisherKit's"),
      (["none.safetensors"], 65, "found No such file"), (["log"], 65, "log: expected a safetensors file"),
      (["m.safetensors", "--data", "/none"], 65, "/none: expected a folder"),
      (["m.safetensors", "--split", "all"], 64, "all"), (["m.safetensors", "--data", ""], 64, "--data"),
      (["m.safetensors", "--units", "0"], 64, "1e-30"), ([], 64, "model.safetensors"),
    ] as [([String], Int32, String)] {
      let arguments = arguments.map { folder.contents.contains($0) || $0.hasPrefix("none.") ? folder.file($0) : $0 }
      for command in [["evaluate"] + arguments, ["predict"] + arguments + ["--out", folder.file("P.npy")]] {
        let result = try Tool.run(command)
        #expect(result.status == status && result.output.isEmpty, "\(command): \(result)")
        #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains(words), "\(command): \(result)")
        #expect(Set(folder.contents) == before)
      }
    }
    let over = try Tool.run(["predict", model, "--out", model])
    #expect(over.status == 64 && over.errors.contains("another file than that of the model"), "\(over)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: model)) == bytes)
    let cut = try Tool.run(["inspect", folder.file("cut.safetensors")])
    #expect(cut.status == 65 && cut.errors.contains("found only 2599"), "\(cut)")
  }

  /// A run that fails keeps nothing, and an older model stays; so does one that could not have been written.
  @Test func failedRuns() throws {
    try "older".write(toFile: model, atomically: true, encoding: .utf8)
    let log = folder.file("log")
    let diverged = try Tool.run([
      "train", "--optimizer", "sgd", "--learning-rate", "1e20", "--recoveries", "0", "--quiet", "--save", model,
    ])
    #expect(diverged.status == 70, "\(diverged)")
    for (save, log, words) in [(model, model, "--log"), (folder.path, log, "a folder")] {
      let result = try Tool.run(["train", "--epochs", "1", "--quiet", "--save", save, "--log", log])
      #expect(result.status == 64 && result.errors.contains("--save") && result.errors.contains(words), "\(result)")
    }
    #expect(folder.contents == ["m.safetensors"])
    #expect(try String(contentsOfFile: model, encoding: .utf8) == "older")
    #if os(Linux)
      // The log of a run that was whole is kept, though the network could not be.
      let full = try Tool.run(["train", "--epochs", "1", "--quiet", "--save", "/dev/full", "--log", log])
      #expect(full.status == 70 && full.errors.contains("--save: /dev/full"), "\(full)")
      #expect(try LogLines(path: log).numbers.count == 2 && Set(folder.contents) == ["m.safetensors", "log"])
    #endif
  }

  @Test func says() throws {
    let result = try Tool.run(["train", "--epochs", "1", "--optimizer", "sgd", "--save", model])
    #expect(result.status == 0 && result.output.hasSuffix("\nsaved: \(model)\n"), "\(result)")
    let words = try Tool.run(["train", "--help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("A run that fails or is interrupted writes none, and leaves an older FILE as it is."))
  }
}
