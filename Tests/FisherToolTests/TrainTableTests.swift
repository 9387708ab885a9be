import Foundation
import Testing

@testable import FisherKitTool

/// Every number that `fisher train` prints against its log, and the log's against what `fisher evaluate` finds.
@Suite final class TrainTableTests {
  private let folder: Scratch
  /// Kernels that take next to no time but 1 ms a call: what is expected of a step is a count of calls.
  private static let costs =
    #"{"products":1e16,"grams":1e16,"factors":1e16,"solves":1e16,"bandwidth":1e15,"call":0.001}"#

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  private func train() throws -> (output: [String], log: LogLines) {
    let (costs, log) = (folder.file("costs.json"), folder.file("log"))
    try Self.costs.write(toFile: costs, atomically: true, encoding: .utf8)
    let result = try Tool.run([
      "train", "--shape", "64,12,10", "--epochs", "2", "--trust-region", "1e-5", "--profile", "--cost-model", costs,
      "--log", log, "--save", folder.file("m.safetensors"),
    ])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    return (result.output.components(separatedBy: "\n"), try LogLines(path: log))
  }

  private func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

  /// The number before a word.
  private func number(before word: String, in text: String) throws -> Double {
    let found = words(text)
    let place = try #require(found.firstIndex { $0.hasPrefix(word) }, "\(word) in \(text)")
    return try #require(Double(found[place - 1]), "\(text)")
  }

  @Test func printedNumbers() throws {
    let (lines, log) = try train()
    func f(_ value: Double?, _ digits: Int) -> String { String(format: "%.\(digits)f", value ?? .nan) }
    func percent(_ value: Double?) -> String { f(value.map { $0 * 100 }, 2) + "%" }
    let head = try #require(lines.firstIndex { $0.hasPrefix("epoch ") })
    for (line, epoch) in zip(lines[(head + 1)...], log.numbers.dropLast()) {
      #expect(
        words(line) == [
          f(epoch["epoch"], 0), f(epoch["step"], 0), f(epoch["seconds"], 2), f(epoch["train_loss"], 4),
          percent(epoch["train_error"]), f(epoch["validation_loss"], 4), percent(epoch["validation_accuracy"]),
        ])
    }
    let end = try #require(log.numbers.last)
    let test = try #require(lines.first { $0.hasPrefix("test: ") })
    #expect(
      test.hasPrefix("test: loss \(f(end["test_loss"], 4)), accuracy \(percent(end["test_accuracy"])); peak memory "))
    // (printed a moment later than it was written)
    let peak = try number(before: "MB,", in: test)
    #expect(try abs(peak * 1e6 / #require(end["peak_memory_bytes"]) - 1) < 0.02, "\(test)")
    let planned = try #require(lines.first { $0.hasPrefix("planned ") })
    #expect(try test.hasSuffix("planned \(f(number(before: "MB", in: planned), 1)) MB"))
    let bounds = try #require(log.bounds.last)
    #expect(bounds.values.contains { $0 > 0 }, "\(bounds)")
    let bound = bounds.sorted { $0.key < $1.key }.filter { $0.value > 0 }
      .map { "\($0.key) \(f($0.value * 100, 1))%" }
    #expect(lines.contains("trust region bound in the last epoch: \(bound.joined(separator: ", "))"), "\(bound)")
    // Bytes: 14,000 samples of 64 floats are among them.
    #expect(try #require(end["peak_memory_bytes"]) > 14_000 * 64 * 4)
  }

  /// A refresh of two exact layers is 3 + 2 calls, a step 1 + 1; before the first interval of 200 there are 8 refreshes.
  @Test func expectedTimes() throws {
    let (lines, _) = try train()
    #expect(lines.contains { $0.hasPrefix("layer 1    exact, 12 blocks of order 65, 500 samples, ") }, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("layer 2    exact, one softmax matrix of order 130, 500 samples, ") })
    #expect(
      lines.contains(
        "expected   5.00 ms a refresh, 2.00 ms a step beside it; 40.00 ms for 8 before the first interval is over"))
    let measured = try #require(lines.first { $0.hasPrefix("refresh: ") })
    #expect(measured.contains("expected 5.00 ms; ") && measured.hasSuffix("expected 2.00 ms"), "\(measured)")
    // What a refresh took is that of the profile's table: a call of it is one, as is a call for a step.
    for (phase, place) in [("refresh", 1), ("precondition", 7)] {
      let row = words(try #require(lines.first { $0.hasPrefix("\(phase) ") && !$0.hasPrefix("refresh:") }))
      let microseconds = try #require(Double(row[4]))
      let milliseconds = try #require(Double(words(measured)[place == 1 ? 1 : place + 2]))
      #expect(abs(milliseconds - microseconds / 1000) <= 0.0051, "\(phase): \(measured)")
    }
  }

  /// The last epoch's line is of the weights that are kept.
  @Test func logOfTheLastEpoch() throws {
    let log = try train().log.numbers
    let epoch = try #require(log.dropLast().last)
    for (split, loss, share) in [
      ("train", "train_loss", "train_error"), ("validation", "validation_loss", "validation_accuracy"),
      ("test", "test_loss", "test_accuracy"),
    ] {
      let result = try Tool.run(["evaluate", folder.file("m.safetensors"), "--json", "--split", split])
      let found = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      let line = split == "test" ? log[log.count - 1] : epoch
      let confusion = try #require(found["confusion"] as? [[Int]])
      let right = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
      let accuracy = Double(right) / Double(confusion.joined().reduce(0, +))
      #expect(line[loss] == found["loss"] as? Double, "\(split)")
      // (the last bit is the parser's)
      #expect(abs((line[share] ?? .nan) - (share == "train_error" ? 1 - accuracy : accuracy)) < 1e-15, "\(split)")
    }
  }
}
