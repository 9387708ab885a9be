import ArgumentParser
import FisherKit
import FisherKitToolSupport
import Foundation

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says how good a model that was kept is: loss, accuracy, and which classes it takes for which.",
    discussion: """
      The table has a row for each class that samples are of, and a column for each that they were taken for. --json gives \
      one line with split, samples, loss, accuracy, confusion, and classes where their names are known. A model of labels or \
      numbers has no table, and one of numbers no accuracy.

      Example: fisher evaluate model.safetensors --data fashion-mnist
      """)

  @OptionGroup var input: ModelInput
  @Flag(help: "Print one line of JSON.") var json = false

  func run() throws {
    ToolThreads.start(Compute.threads)
    let (file, samples) = try input.load()
    let (score, confusion) =
      file.isDouble ? try evaluate(file, samples, Double.self) : try evaluate(file, samples, Float.self)
    let names = file.notes.classNames
    if json { return Standard.print(try line(score, confusion, names, samples) + "\n") }
    let accuracy = score.accuracy.map { ", accuracy \(fixed(100 * $0, 2))%" } ?? ""
    Standard.print(
      "\(input.split.rawValue): \(samples.range.count) samples of \(samples.name.visible(keeping: []))\n"
        + "loss \(fixed(score.loss, 4))\(accuracy)\n" + (confusion.map { "\n" + table($0, names: names) } ?? ""))
  }

  private func evaluate<S: KernelScalar>(
    _ file: ModelFile, _ samples: ModelInput.Samples, _: S.Type
  ) throws -> (Score, confusion: [[Int]]?) {
    let model = try Sequential<S>(file, batchCapacity: file.samplesAtATime)
    guard file.distribution == .categorical else {
      let loss = try file.distribution.loss()
      return (try model.evaluate(samples.dataset, samples.range, loss: loss, name: samples.name).score, nil)
    }
    let evaluation = try model.evaluate(samples.dataset, samples.range, name: samples.name)
    return (evaluation.score, evaluation.confusion)
  }

  private func line(
    _ score: Score, _ confusion: [[Int]]?, _ names: [String]?, _ samples: ModelInput.Samples
  ) throws -> String {
    struct Line: Encodable {
      var split: String
      var samples: Int
      var loss: Double
      var accuracy: Double?
      var confusion: [[Int]]?
      var classes: [String]?
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = Line(
      split: input.split.rawValue, samples: samples.range.count, loss: score.loss, accuracy: score.accuracy,
      confusion: confusion, classes: names)
    return String(decoding: try encoder.encode(line), as: UTF8.self).printableJSON
  }

  private func table(_ confusion: [[Int]], names: [String]?) -> String {
    let width = max(5, "\(confusion.joined().max() ?? 0)".count + 1, "\(confusion.count)".count + 1)
    func cell(_ text: String) -> String { pad(text, width) }
    let heads = confusion.indices.map { cell("\($0)") }.joined()
    var text = "class\(heads)   right\n"
    for (index, row) in confusion.enumerated() {
      let count = row.reduce(0, +)
      let right = count == 0 ? "    -  " : pad(fixed(100 * Double(row[index]) / Double(count), 2) + "%", 7)
      let name = names.map { "  " + $0[index].visible(keeping: []) } ?? ""
      text += cell("\(index)").suffix(5) + row.map { cell("\($0)") }.joined() + " " + right + name + "\n"
    }
    return text
  }
}
