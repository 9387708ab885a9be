import Foundation
import Testing

@testable import FisherKitTool

/// Grids, logs and flags that `fisher experiment` cannot run, and the choice of a learning rate.
@Suite struct ExperimentRefusalTests {
  private func refusal(_ change: (inout String) -> Void, log: String? = nil) throws -> Tool.Result {
    let folder = try Scratch()
    defer { folder.remove() }
    var text = SmallExperiment.grid
    change(&text)
    let (grid, path) = (folder.file("grid.json"), folder.file("runs.jsonl"))
    try text.write(toFile: grid, atomically: true, encoding: .utf8)
    if let log { try log.write(toFile: path, atomically: true, encoding: .utf8) }
    let result = try Tool.run(["experiment", grid, "--log", path, "--quiet"])
    #expect(result.errors.split(separator: "\n").count == 1 && result.output.isEmpty, "\(result)")
    if let log { #expect(try String(contentsOfFile: path, encoding: .utf8) == log) }
    return result
  }

  @Test func grids() throws {
    for (old, new, expected) in [
      (#""seeds": 3"#, #""seeds": 1"#, "selection_seeds from 1 to 1"),
      (#""seeds": 3"#, #""seeds": 3, "sedes": 1"#, "sedes"),
      (#""seeds": 3"#, #""seeds": "x""#, "another kind at seeds"),
      (#""seeds": 3"#, #""seeds": 2.5"#, "a number out of range"),
      (
        #""name": "b","#, #""name": "b", "falgs": "","#,
        "expected members flags, name at networks.[1], found \"falgs\""
      ),
      (
        #""flags": "--optimizer sgd","#, #""flags": "--optimizer sgd", "rates": [],"#,
        "expected members flags, learning_rates, name at optimizers.[0], found \"rates\""
      ),
      ("--optimizer sgd", "--optimizer 'sgd", "a closing ' in the flags, found --optimizer 'sgd"),
      ("--optimizer sgd", #"--optimizer \"sgd"#, "a closing \""),
      ("--optimizer sgd", #"--optimizer sgd\\"#, "the last \\"),
      (#""name": "small", "#, "", "no name"),
      (#""name": "b""#, #""name": "a""#, "networks with names, all different"),
      ("[0.02, 0.01]", "[]", "learning_rates of RNGD"),
      ("[0.02, 0.01]", "[0.02, 0.02]", "learning_rates of RNGD"),
      ("[0.02, 0.01]", "[-1]", "learning_rates of RNGD"),
      ("--optimizer sgd", "--optimizer sdg", "sdg"),
      ("--shape 64,12,8,10 --activation tanh", "--shape 64,16,10", "different flags for a by SGD and b by SGD"),
      (#""seeds": 3"#, #""seeds": 400000"#, "at most 1000000 runs"),
      ("--optimizer sgd", "--optimizer sgd --seed 3", "no --seed"),
      ("--optimizer sgd", "--optimizer sgd --lr=3", "no --learning-rate"),
      ("--optimizer sgd", "--optimizer sgd --log x", "but for --log"),
      ("--optimizer sgd", "--optimizer sgd --save=x", "but for --save"),
      ("--optimizer sgd", "--optimizer sgd --stop-early=3", "but for --stop-early"),
      ("--optimizer sgd", "--optimizer sgd --loss squared", "a loss with an accuracy"),
      ("--shape 64,16,10", "--shape 65,16,10", "65 features"),
      ("--data synthetic", "--data /nonexistent", "no such folder"),
      (#""name": "small""#, #"name"#, "no JSON"),
    ] {
      let result = try refusal { $0 = $0.replacingOccurrences(of: old, with: new) }
      #expect(result.status == 65 && result.errors.contains(expected), "\(new): \(result)")
    }
  }

  /// Flags are parted as a shell does it.
  @Test func words() throws {
    for (text, words) in [
      ("", []), ("  a  b\t", ["a", "b"]), ("--data 'my data'", ["--data", "my data"]),
      (#"--data my\ data"#, ["--data", "my data"]), (#"--data "my data""#, ["--data", "my data"]),
      (#"'a'"b"c\d"#, ["abcd"]), (#"'' """#, ["", ""]), (#"'a\b"' "c\\\"\n'""#, [#"a\b""#, #"c\"\n'"#]),
      ("a\\\nb c\nd", ["ab", "c", "d"]), ("a\r\nb", ["a", "b"]), ("\"\u{301}a\" b", ["\u{301}a", "b"]),
      (#"\'a\" \\"#, ["'a\"", "\\"]), ("é'ü 训'", ["éü 训"]),
    ] {
      #expect(throws: Never.self) { try splitWords(text) }
      #expect((try? splitWords(text)) == words, "\(text)")
    }
    for (text, expected) in [("'a", "'"), ("a \"b'", "\""), ("a\\", "\\"), (#""a\""#, "\"")] {
      let error = #expect(throws: GridError.self) { try splitWords(text) }
      #expect(error?.expected.contains(expected) == true && error?.found == text)
    }
  }

  /// Numbers that no machine has, in a file and in the header of a log.
  @Test func costs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let prepared = try SmallExperiment.prepare(folder)
    let good = try String(contentsOfFile: prepared.costs, encoding: .utf8)
    for (old, new, words) in [
      ("\"products\":1e11", "\"products\":0", ["products of 1e6 to 1e16 flops", "found 0.0"]),
      ("\"grams\":1e11", "\"grams\":-1e11", ["grams of 1e6", "found -1"]),
      ("5e10,\"solves\"", "1e300,\"solves\"", ["factors of 1e6 to 1e16", "found 1e+300"]),
      ("3e10", "1e17", ["solves of", "1e+17"]), ("\"bandwidth\":5e10", "\"bandwidth\":9e5", ["bandwidth of", "bytes"]),
      ("\"call\":1e-6", "\"call\":7200", ["a call of 1e-10 to 1 seconds", "7200"]),
      ("\"call\":1e-6", "\"call\":0", ["a call of", "found 0.0"]), ("\"call\":1e-6", "\"call\":-1e-6", ["a call of"]),
      ("\"call\":1e-6", "\"call\":NaN", ["no JSON"]), ("\"call\":1e-6", "\"call\":1e999", ["costs.json", "found"]),
      ("\"grams\"", "\"gram\"", ["no grams"]), ("\"call\":1e-6", "\"call\":null", ["at call"]), (good, "", ["no JSON"]),
    ] {
      try good.replacingOccurrences(of: old, with: new).write(toFile: prepared.costs, atomically: true, encoding: .utf8)
      for command in [
        ["train", "--quiet", "--epochs", "1"], ["experiment", prepared.grid, "--quiet", "--log", folder.file("log")],
      ] {
        let result = try Tool.run(command + ["--cost-model", prepared.costs])
        #expect(result.status == 65 && result.errors.split(separator: "\n").count == 1, "\(new): \(result)")
        for word in ["costs.json: expected "] + words { #expect(result.errors.contains(word), "\(new): \(result)") }
      }
    }
  }

  /// An experiment that comes to nothing says so; its log stays, and has what each run came to.
  @Test func allFail() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (grid, log) = (folder.file("grid.json"), folder.file("log.jsonl"))
    try SmallExperiment.grid.replacingOccurrences(of: "[0.1, 0.01, 1e20]", with: "[1e20]")
      .replacingOccurrences(of: "[0.02, 0.01]", with: "[1e25]")
      .replacingOccurrences(of: "--optimizer rngd", with: "--optimizer rngd --trust-region 0")
      .replacingOccurrences(of: "--optimizer sgd", with: "--optimizer sgd --recoveries 0")
      .write(toFile: grid, atomically: true, encoding: .utf8)
    for _ in 0..<2 {
      let result = try Tool.run(["experiment", grid, "--log", log, "--quiet"])
      #expect(result.status == 70 && result.errors.split(separator: "\n").count == 1, "\(result)")
      #expect(result.errors.contains("small: expected a run that ends, found that all 8 failed"), "\(result)")
      #expect(try SmallExperiment.records(log).count == 8)
    }
    #expect(try Tool.run(["report", log, "--format", "csv"]).status == 0)
  }

  @Test func logs() throws {
    for log in ["hello\n", "{\"kind\":\"run\"}\n", "\n", "hello", #"{"name": "a grid"}"#, "{\"command\":3}", "\0a"] {
      let result = try refusal({ _ in }, log: log)
      #expect(result.status == 65 && result.errors.contains("line 1"), "\(log): \(result)")
    }
  }

  /// A log whose runs would be taken for others, or others for them.
  @Test func otherRuns() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (grid, log) = (folder.file("grid.json"), folder.file("runs.jsonl"))
    let small = SmallExperiment.grid.replacingOccurrences(of: "0.1, 0.01, 1e20", with: "0.1")
      .replacingOccurrences(of: #""selection_seeds": 2, "seeds": 3"#, with: #""seeds": 1"#)
    func run(_ text: String) throws -> Tool.Result {
      try text.write(toFile: grid, atomically: true, encoding: .utf8)
      return try Tool.run(["experiment", grid, "--log", log, "--quiet"])
    }
    #expect(try run(small).status == 0)
    let before = try String(contentsOfFile: log, encoding: .utf8)
    for (old, new, words) in [
      ("--epochs 2", "--epochs 3", ["runs of a by SGD to be made by", "--epochs 3", "found \"--data"]),
      (#""name": "SGD""#, #""name": "plain SGD""#, ["to be called a by plain SGD", "found a by SGD"]),
    ] {
      let result = try run(small.replacingOccurrences(of: old, with: new))
      #expect(result.status == 65 && result.errors.split(separator: "\n").count == 1, "\(result)")
      for word in words { #expect(result.errors.contains(word), "\(result)") }
      #expect(try String(contentsOfFile: log, encoding: .utf8) == before)
    }
  }

  @Test func flags() throws {
    for flags in [
      [], ["--log", ""], ["--log", "x", "--threads", "0"], ["--log", "x", "--jobs", "-1"],
      ["grid.json", "--quick", "--log", "x"],
    ] {
      let result = try Tool.run(["experiment"] + flags)
      #expect(result.status == 64 && result.errors.split(separator: "\n").count == 1, "\(flags): \(result)")
    }
    let missing = try Tool.run(["experiment", "/nonexistent.json", "--log", "/tmp/x.jsonl"])
    #expect(missing.status == 65 && missing.errors.contains("/nonexistent.json"), "\(missing)")
  }

  private func record(_ rate: Double, _ seed: UInt64, _ accuracy: Double, failure: String? = nil) -> RunRecord {
    RunRecord(
      network: "n", optimizer: "o", learningRate: rate, seed: seed, arguments: "\(rate) \(seed)", version: "",
      threads: 1, level: "",
      epochs: [
        .init(
          epoch: 1, step: 1, seconds: 1, trainLoss: 1, trainError: 0.5, validationLoss: 1, validationAccuracy: accuracy)
      ], testLoss: nil, testAccuracy: nil, memoryBytes: 0, dampingEvents: 0, divergences: [], effectiveDimensions: [],
      failure: failure)
  }

  @Test func selection() throws {
    // By the mean over seeds, of which only those count that every rate has; a failure counts 0.
    let runs = [
      record(0.1, 0, 0.8), record(0.1, 1, 0.6), record(0.01, 0, 0.75), record(0.01, 1, 0.7), record(0.01, 2, 0.1),
      record(0.5, 0, 0.9), record(0.5, 1, 0.9, failure: "NaN"),
    ]
    let selection = try #require(Selection(of: runs))
    let accuracy = try #require(selection.validationAccuracy)
    #expect(selection.learningRate == 0.01 && abs(accuracy - 0.725) < 1e-12)
    #expect(selection.isAtTheEdge)
    let inside = try #require(Selection(of: runs + [record(0.001, 0, 0.1), record(0.001, 1, 0.1)]))
    #expect(inside.learningRate == 0.01 && !inside.isAtTheEdge)
    #expect(Selection(of: []) == nil && Selection(of: [record(1, 0, 0.5, failure: "NaN")]) == nil)
  }
}
