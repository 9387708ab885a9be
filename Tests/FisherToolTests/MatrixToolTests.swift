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
    try write("images", [2, 4, 3, 2])
    try write("series", [3, 5, 4])
    try write("filters", [6, 9])
    try write("grouped", [6, 5])
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

  /// Layers with positions.
  @Test(arguments: [
    ("convolution --kernel 2 --activation tanh --inputs images.npy --weights filters.npy", [6, 9, 9]),
    (
      "convolution --kernel 2 --groups 2 --padding 1,0 --activation relu --inputs images.npy --weights grouped.npy",
      [6, 5, 5]
    ),
    ("convolution --kernel 2 --stride 2 --activation gelu --inputs series.npy --weights filters.npy", [6, 9, 9]),
    ("layer-norm --inputs images.npy", [2, 2, 2]), ("layer-norm --inputs x.npy --epsilon 0.1", [3, 2, 2]),
    ("rms-norm --inputs series.npy", [4, 1, 1]), ("group-norm --groups 2 --inputs series.npy", [4, 2, 2]),
    ("batch-norm --inputs images.npy", [2, 2, 2]),
  ]) func layers(system: String, shape: [Int]) throws {
    for isDouble in [true, false] {
      let all: [(String, [Int])] = [
        ("x", [n, inputs]), ("images", [2, 4, 3, 2]), ("series", [3, 5, 4]), ("filters", [6, 9]), ("grouped", [6, 5]),
        ("v", [shape[0], shape[1]]),
      ]
      for (name, shape) in all { try write(name, shape, isDouble: isDouble) }
      let result = try Tool.run(flags("rfim --subsystem \(system) --out g.npy"))
      #expect(result.status == 0 && result.output == "" && result.errors == "", "\(result)")
      let matrix = try NPYArray(path: folder.file("g.npy"))
      #expect(matrix.shape == shape && matrix.isDouble == isDouble)
      let solved = try Tool.run(flags("solve --subsystem \(system) --gradient v.npy --damping 0.1 --out d.npy"))
      #expect(solved.status == 0, "\(solved)")
      let direction = try NPYArray(path: folder.file("d.npy"))
      #expect(direction.shape == [shape[0], shape[1]] && direction.isDouble == isDouble)
    }
  }

  /// A 1×1 convolution of one position is the layer, to the last digit.
  @Test(arguments: [true, false]) func oneByOne(isDouble: Bool) throws {
    for (name, shape) in [("x", [n, inputs]), ("w", [m, inputs + 1])] { try write(name, shape, isDouble: isDouble) }
    let x = try NPYArray(path: folder.file("x.npy"))
    try NPYArray(shape: [n, 1, 1, inputs], elements: x.elements).write(to: folder.file("one.npy"))
    let layer = try Tool.run(flags("rfim --subsystem layer --activation tanh \(arrays) --out g.npy"))
    let convolution = try Tool.run(
      flags("rfim --subsystem convolution --kernel 1 --activation tanh --inputs one.npy --weights w.npy --out h.npy"))
    #expect(layer.status == 0 && convolution.status == 0, "\(layer) \(convolution)")
    #expect(
      try NPYArray(path: folder.file("g.npy")).elements == NPYArray(path: folder.file("h.npy")).elements)
  }

  @Test(arguments: [
    ("softmax", [16, 16]), ("layer --activation tanh", [16, 16]),
    ("two-layers --activation tanh --outer-weights c.npy --outer-activation softmax", [16, 16]),
  ]) func kronecker(system: String, shape: [Int]) throws {
    let result = try Tool.run(flags("rfim --kronecker --subsystem \(system) \(arrays) --out g.npy"))
    #expect(result.status == 0, "\(result)")
    #expect(try NPYArray(path: folder.file("g.npy")).shape == shape)
    let solved = try Tool.run(
      flags("solve --kronecker --subsystem \(system) \(arrays) --gradient v.npy --damping 0.1 --out d.npy"))
    #expect(solved.status == 0, "\(solved)")
  }

  /// The table of a network that a description makes.
  @Test func tableOfAModel() throws {
    let result = try Tool.run(flags("inspect --model cnn --features 784 --metric projected --rank 8 --batch 20"))
    #expect(result.status == 0 && result.errors == "", "\(result)")
    for word in [
      "convolution 3×3", "196 × 32", "4640", "1.819", "a block for each neuron", "projected, rank 8 of 145", "flatten",
      "coupled classes", "105866 parameters",
    ] {
      #expect(result.output.contains(word), "\(word): \(result.output)")
    }
    try #"{"input": [8, 8], "layers": [{"layer": "dense", "outputs": 4, "measured": false}, {"layer": "dense"}]}"#
      .write(
        toFile: folder.file("net.json"), atomically: true, encoding: .utf8)
    let own = try Tool.run(["inspect", "--model", folder.file("net.json"), "--classes", "7"])
    #expect(own.status == 0 && own.output.contains("none") && own.output.contains("35"), "\(own)")
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
    (
      "rfim --subsystem convolution --activation tanh --inputs images.npy --weights filters.npy --out o.npy", 64,
      "--kernel"
    ),
    (
      "rfim --subsystem convolution --kernel 2 --inputs images.npy --weights filters.npy --out o.npy", 64,
      "--activation"
    ),
    ("rfim --subsystem convolution --kernel 2 --activation tanh --inputs images.npy --out o.npy", 64, "--weights"),
    (
      "rfim --subsystem convolution --kernel 3 --activation tanh --inputs images.npy --weights filters.npy --out o.npy",
      65, "19 columns"
    ),
    (
      "rfim --subsystem convolution --kernel 9 --activation tanh --inputs images.npy --weights filters.npy --out o.npy",
      64, "9×9"
    ),
    (
      "rfim --subsystem convolution --kernel 2,2 --activation tanh --inputs series.npy --weights filters.npy --out o.npy",
      64, "one number"
    ),
    (
      "rfim --subsystem convolution --kernel 2 --groups 4 --activation tanh --inputs images.npy --weights filters.npy --out o.npy",
      64, "divides"
    ),
    (
      "rfim --subsystem convolution --kernel -1 --activation tanh --inputs images.npy --weights filters.npy --out o.npy",
      64, "kernel"
    ),
    (
      "rfim --subsystem convolution --kernel 2 --activation tanh --inputs x.npy --weights filters.npy --out o.npy", 65,
      "(n, length"
    ),
    ("rfim --subsystem layer-norm --inputs x.npy --weights w.npy --out o.npy", 64, "--weights"),
    ("rfim --subsystem layer-norm --inputs x.npy --epsilon -1 --out o.npy", 64, "--epsilon"),
    ("rfim --subsystem layer-norm --inputs x.npy --groups 2 --out o.npy", 64, "--groups"),
    ("rfim --subsystem group-norm --inputs x.npy --groups 2 --out o.npy", 64, "divides"),
    ("rfim --subsystem softmax --kernel 2 --inputs x.npy --weights w.npy --out o.npy", 64, "--kernel"),
    (
      "rfim --subsystem neuron --kronecker --activation tanh --inputs x.npy --weights w.npy --out o.npy", 64,
      "--kronecker"
    ),
    ("inspect --model no-such", 65, "no-such"), ("inspect x.npy --model cnn", 64, "both"),
    ("inspect x.npy --rank 3", 64, "--rank"), ("inspect --model cnn", 64, "--features"),
    ("inspect --model cnn --features 783", 65, "783"), ("inspect v.npy --classes 3", 64, "--classes"),
    ("inspect x.npy", 65, "(d, d)"), ("inspect v.npy", 65, "symmetric"), ("inspect", 64, "neither"),
    ("inspect v.npy --damping nan", 64, "nan"),
  ]) func refusals(command: String, status: Int32, word: String) throws {
    let result = try Tool.run(flags(command))
    #expect(result.status == status && result.output == "", "\(result)")
    #expect(result.errors.hasPrefix("fisher: ") && result.errors.contains(word), "\(result)")
    #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    #expect(!folder.contents.contains { $0.hasPrefix("o.npy") }, "\(folder.contents)")
  }
}
