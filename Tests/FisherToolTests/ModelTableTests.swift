import FisherKit
import Foundation
import Testing

/// The tables of `fisher evaluate` and `inspect`, and the names of `predict`'s columns, worked out again.
@Suite final class ModelTableTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  /// A model that has learned nothing, and takes classes for others.
  private func model() throws -> String {
    let path = folder.file("m.safetensors")
    try Sequential<Float>.perceptron(shape: [64, 10], activation: Relu(), batchCapacity: 1, seed: 3).write(to: path)
    return path
  }

  @Test func confusion() throws {
    let path = try model()
    let json = try Tool.run(["evaluate", path, "--json"])
    let found = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let confusion = try #require(found["confusion"] as? [[Int]])
    // A row for each class that samples are of.
    let labels = try SyntheticData.make(seed: 0).test.labels
    #expect(confusion.map { $0.reduce(0, +) } == (0..<10).map { label in labels.count { Int($0) == label } })
    #expect(confusion != (0..<10).map { i in confusion.map { $0[i] } })
    let text = try Tool.run(["evaluate", path]).output.components(separatedBy: "\n")
    let accuracy = Double(confusion.indices.reduce(0) { $0 + confusion[$1][$1] }) / 2000
    #expect(text[1].hasSuffix(String(format: ", accuracy %.2f%%", accuracy * 100)) && accuracy < 1, "\(text[1])")
    #expect(text[3].split(separator: " ") == ["class"] + (0..<10).map { "\($0)" } + ["right"])
    for (index, row) in confusion.enumerated() {
      let share = 100 * Double(row[index]) / Double(row.reduce(0, +))
      let cells = text[4 + index].split(separator: " ").map(String.init)
      #expect(cells == ["\(index)"] + row.map { "\($0)" } + [String(format: "%.2f%%", share)], "\(text[4 + index])")
    }
  }

  @Test func columnsOfPredictions() throws {
    let (path, out) = (try model(), folder.file("P.csv"))
    #expect(try Tool.run(["predict", path, "--out", out]).status == 0)
    let rows = try String(contentsOfFile: out, encoding: .utf8).components(separatedBy: "\r\n")
    #expect(rows[0] == (0..<10).map { "class \($0)" }.joined(separator: ",") && rows.count == 2002)
    for row in rows[1...2000] {
      #expect(abs(row.split(separator: ",").reduce(0) { $0 + Double($1)! } - 1) < 1e-5)
    }
  }

  /// Diagonal matrices, whose eigenvalues stand in them: 8, 2 and what is next to nothing in float, not in double.
  @Test(arguments: [(true, 3), (false, 2)]) func eigenvalues(isDouble: Bool, rank: Int) throws {
    let (path, damping) = (folder.file("g.npy"), 0.5)
    let values = [2, 8, 1e-6]
    let numbers = (0..<9).map { $0 % 4 == 0 ? values[$0 / 4] : 0 }
    try NPYArray(shape: [3, 3], elements: isDouble ? .float64(numbers) : .float32(numbers.map { Float($0) }))
      .write(to: path)
    let result = try Tool.run(["inspect", path, "--damping", "\(damping)"])
    #expect(result.status == 0, "\(result)")
    let lines = result.output.components(separatedBy: "\n")
    let heads = lines[0].components(separatedBy: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      heads.filter { !$0.isEmpty } == [
        "matrix", "trace", "largest", "smallest", "rank", "condition", "eff. dimension", "log-determinant",
      ])
    let row = lines[1].split(separator: " ").compactMap { Double($0) }
    let dimension = values.reduce(0) { $0 + $1 / ($1 + damping) }
    let determinant = values.reduce(1) { $0 * ($1 + damping) }
    let expected = [0, 10.000001, 8, 1e-6, Double(rank), 8.5 / 0.500001, dimension, log(determinant)]
    #expect(row.count == 8)
    for (found, value) in zip(row, expected) { #expect(abs(found - value) <= 6e-4 * abs(value), "\(lines[1])") }
  }
}
