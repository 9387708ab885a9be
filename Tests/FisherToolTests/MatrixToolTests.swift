import FisherKit
import Foundation
import Testing

/// `fisher rfim`, `solve` and `inspect`: shapes, precisions, and what they refuse. Their numbers are compared with
/// NumPy's by Tests/NumPy/check_rfim.py.
@Suite final class MatrixToolTests {
  let folder: Scratch
  let (n, inputs, m) = (6, 3, 4)

  init() throws {
    folder = try Scratch()
    try write("x", [n, inputs])
    try write("w", [m, inputs + 1])
    try write("v", [m, inputs + 1])
    try write("c", [2, m + 1])
  }

  deinit { folder.remove() }

  private func write(_ name: String, _ shape: [Int], isDouble: Bool = true) throws {
    let numbers = (0..<shape.reduce(1, *)).map { sin(Double($0) * 1.7 + Double(shape[0])) }
    try NPYArray(shape: shape, elements: isDouble ? .float64(numbers) : .float32(numbers.map { Float($0) }))
      .write(to: folder.file("\(name).npy"))
  }

  private func flags(_ text: String) -> [String] {
    text.split(separator: " ").map { $0.hasSuffix(".npy") ? folder.file(String($0)) : String($0) }
  }

  private let arrays = "--inputs x.npy --weights w.npy"

  @Test(arguments: [
    ("neuron --activation tanh", [4, 4, 4]), ("layer --activation relu --omega 0.5 --iota 0.1", [4, 4, 4]),
    ("layer --activation gelu", [4, 4, 4]), ("softmax", [16, 16]),
    ("two-layers --activation elu --alpha 0.5 --outer-weights c.npy --outer-activation sigm", [16, 16]),
    ("two-layers --activation tanh --outer-weights c.npy --outer-activation softmax", [16, 16]),
  ]) func shapesAndPrecisions(system: String, shape: [Int]) throws {
    let command = flags("rfim --subsystem \(system) \(arrays) --out g.npy")
    for isDouble in [true, false] {
      for (name, shape) in [("x", [n, inputs]), ("w", [m, inputs + 1]), ("c", [2, m + 1])] {
        try write(name, shape, isDouble: isDouble)
      }
      let result = try Tool.run(command)
      #expect(result.status == 0 && result.output == "" && result.errors == "", "\(result)")
      let matrix = try NPYArray(path: folder.file("g.npy"))
      #expect(matrix.shape == shape && matrix.isDouble == isDouble)
      let inspected = try Tool.run(flags("inspect g.npy --damping 0.1"))
      #expect(inspected.status == 0, "\(inspected)")
      #expect(inspected.output.split(separator: "\n").count == 1 + (shape.count == 3 ? shape[0] : 1), "\(inspected)")
    }
  }

  /// D has V's shape, a matrix or a row.
  @Test func shapeOfTheNaturalGradient() throws {
    for shape in [[4, 4], [16]] {
      try write("v", shape)
      let result = try Tool.run(
        flags("solve --subsystem softmax \(arrays) --gradient v.npy --damping 0.1 --route low-rank --out d.npy"))
      #expect(result.status == 0, "\(result)")
      #expect(try NPYArray(path: folder.file("d.npy")).shape == shape)
    }
  }

  /// float32 arrays of a scale that the square of leaves float32 nothing of λ: the directions of float64 ones, or none.
  @Test(arguments: [
    "layer --activation tanh", "layer --activation linear --metric shared", "softmax",
    "two-layers --activation tanh --outer-weights c.npy --outer-activation softmax",
  ]) func precisionOfTheNaturalGradient(system: String) throws {
    func solve(_ scale: Double, damping: String, isDouble: Bool) throws -> (Tool.Result, [Double]) {
      // (numbers of few digits: the same in both precisions)
      for (name, shape, scale) in [
        ("x", [n, inputs], scale), ("w", [m, inputs + 1], 1 / scale), ("v", [m, inputs + 1], 1), ("c", [2, m + 1], 1),
      ] {
        let numbers = (0..<shape.reduce(1, *)).map { (sin(Double($0) * 1.7 + Double(shape[0])) * 64).rounded() / 64 }
        let scaled = numbers.map { Float($0 * scale) }
        try NPYArray(
          shape: shape, elements: isDouble ? .float64(scaled.map { Double($0) }) : .float32(scaled)
        ).write(to: folder.file("\(name).npy"))
      }
      let result = try Tool.run(
        flags("solve --subsystem \(system) \(arrays) --gradient v.npy --damping \(damping) --out d.npy"))
      guard result.status == 0 else { return (result, []) }
      let found = try NPYArray(path: folder.file("d.npy"))
      #expect(found.isDouble == isDouble)
      return (result, try Matrix<Double>(npy: found).elements.flatMap { $0 })
    }
    let expected = try solve(1024, damping: "1e-6", isDouble: true).1
    let found = try solve(1024, damping: "1e-6", isDouble: false).1
    #expect(found == expected.map { Double(Float($0)) } && found.contains { $0 != 0 }, "\(found), \(expected)")
    // Beyond double precision as well.
    let (refused, _) = try solve(0x1p40, damping: "1e-12", isDouble: false)
    #expect(refused.status == 65 && refused.errors.contains("use a larger damping"), "\(refused)")
    #expect(refused.errors.count { $0 == "\n" } == 1, "\(refused)")
  }

  @Test(arguments: [
    ("rfim --subsystem softmax --inputs none.npy --weights w.npy --out o.npy", 65, "none.npy"),
    ("rfim --subsystem softmax --inputs w.npy --weights w.npy --out o.npy", 65, "5 columns"),
    ("rfim --subsystem layer --inputs x.npy --weights w.npy --out o.npy", 64, "--activation"),
    ("rfim --subsystem softmax --activation tanh --inputs x.npy --weights w.npy --out o.npy", 64, "--activation"),
    ("rfim --subsystem cube --inputs x.npy --weights w.npy --out o.npy", 64, "cube"),
    ("rfim --subsystem two-layers --activation tanh --inputs x.npy --weights w.npy --out o.npy", 64, "--outer-weights"),
    (
      "rfim --subsystem two-layers --activation tanh --inputs x.npy --weights w.npy --outer-weights w.npy "
        + "--outer-activation tanh --out o.npy", 65, "5 columns"
    ),
    ("rfim --subsystem softmax --inputs x.npy --weights w.npy --memory-cap 100 --out o.npy", 70, "conjugate gradients"),
    ("rfim --subsystem layer --activation tanh --inputs x.npy --weights w.npy --memory-cap 9 --out o.npy", 70, "512"),
    ("rfim --subsystem softmax --inputs x.npy --weights w.npy --out /nonexistent-folder/o", 64, "/nonexistent-folder"),
    ("solve --subsystem softmax --inputs x.npy --weights w.npy --gradient v.npy --out o.npy", 64, "--damping"),
    ("solve --subsystem softmax --inputs x.npy --weights w.npy --gradient v.npy --damping -1 --out o.npy", 64, "-1.0"),
    ("solve --subsystem softmax --inputs x.npy --weights w.npy --gradient v.npy --damping 0 --out o.npy", 65, "pivot"),
    ("solve --subsystem softmax --inputs x.npy --weights w.npy --gradient x.npy --damping 1 --out o.npy", 65, "(16,)"),
    (
      "solve --subsystem softmax --metric paper --inputs x.npy --weights w.npy --gradient v.npy --damping 1 --out o.npy",
      64, "paper"
    ),
    ("inspect x.npy", 65, "(d, d)"), ("inspect v.npy", 65, "symmetric"), ("inspect", 64, "g.npy"),
    ("inspect v.npy --damping nan", 64, "nan"),
  ]) func refusals(command: String, status: Int32, word: String) throws {
    let result = try Tool.run(flags(command))
    #expect(result.status == status && result.output == "", "\(result)")
    #expect(result.errors.hasPrefix("fisher: ") && result.errors.contains(word), "\(result)")
    #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    #expect(!folder.contents.contains { $0.hasPrefix("o.npy") }, "\(folder.contents)")
  }
}
