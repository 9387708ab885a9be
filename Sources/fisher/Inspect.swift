import ArgumentParser
import FisherKit
import FisherKitToolSupport
import Foundation

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what the eigenvalues of Fisher matrices say, or what a model or a checkpoint that was kept is.",
    discussion: """
      For each matrix of G.npy, (d,d) or (m,d,d) as `fisher rfim` writes them: its trace, largest and smallest \
      eigenvalue, rank, and with the damping λ its condition number, effective dimension Σ λ_k/(λ_k + λ) and \
      log-determinant in nats.

      Of a safetensors file, such as fisher train --save writes: the network's layers and activations, its parameters, the tensors with their \
      shapes, and the metadata.

      With --groups FILE, groups of parameters as fisher train --groups takes them, it also says which parameter of the model \
      belongs to which group. Such a file is

        {"groups": [
          {"parameters": ["layer 1", "* scale*"], "flags": "--optimizer adamw --learning-rate 1e-3"},
          {"without_subsystem": true, "flags": "--optimizer muon --schedule cosine"},
          {"parameters": ["layer 2"], "frozen": true}
        ]}

      where * stands for any text and ? for any character of a parameter's name, without_subsystem for parameters that have no \
      Fisher matrix, and flags are those of fisher train's optimizer and schedules. A parameter belongs to the first group \
      that takes it; all others are stepped as the main flags say.

      With --model FILE.json, or the name of one that is built in, the network that this description makes: each layer's output, \
      parameters and flops, the form of its Fisher matrix, and what --metric makes of that. A description is

        {"input": [28, 28, 1], "activation": "relu", "layers": [
          {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"},
          {"repeat": 2, "layers": [
            {"layer": "residual", "layers": [
              {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"},
              {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same", "activation": "linear"}]}]},
          {"layer": "max pooling", "kernel": 2},
          {"layer": "flatten"},
          {"layer": "dense", "outputs": 64, "measured": false},
          {"layer": "dense"}]}

      input is [height, width, channels], [length, channels] or [features], or "images" for square ones of one or three channels. \
      Layers are \
      \(ModelDescription.layerKinds.joined(separator: ", ")); residual has layers, parallel has branches, lists of them. A last \
      dense layer without outputs has one for each class. "measured": false leaves a layer without a Fisher matrix, to the plain \
      gradient or to a group's optimizer.

      Of a checkpoint, such as fisher train --checkpoint writes: how far the run was, all settings of the run, and what is in \
      it by name; the file is checked on the way.
      """)

  @Argument(
    help: ArgumentHelp(
      "The matrices, the model or the checkpoint.", valueName: "g.npy|model.safetensors|step.checkpoint")) var file:
    String?
  @Option(
    help: ArgumentHelp(
      "A network's description in JSON, or one that is built in: \(ModelDescription.names.joined(separator: ", ")).",
      valueName: "file.json"))
  var model: String?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Features of --model's data, where it says no input.", valueName: "n"))
  var features: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("Classes of --model's data (default: 10).", valueName: "n"))
  var classes: Int?
  @Option(parsing: .unconditional, help: "Samples in a mini-batch, for --model.") var batch = RunOptions.usualBatch
  @OptionGroup(title: "Fisher matrices of --model; --damping for matrices too") var natural: NaturalOptions
  @Option(help: ArgumentHelp("Groups of a model's parameters, in JSON.", valueName: "file")) var groups: String?

  private static let usualDamping = 0.005

  func validate() throws {
    guard (file == nil) != (model == nil) else {
      throw ValidationError("inspect: expected a file or --model, found \(file == nil ? "neither" : "both")")
    }
    let damping = natural.damping ?? Self.usualDamping
    if model != nil {
      try natural.check()
    } else if let flag = natural.given.first(where: { $0 != "damping" }) {
      throw ValidationError("--\(flag): expected --model, found a file")
    }
    for (flag, number) in [("features", features), ("classes", classes)] {
      guard let number else { continue }
      guard model != nil, number >= 1, number <= Int(Int32.max) else {
        throw ValidationError("--\(flag): expected 1 to \(Int32.max), with --model, found \(number)")
      }
    }
    guard batch >= 1, batch <= 1_000_000 else {
      throw ValidationError("--batch: expected 1 to 1000000 samples, found \(batch)")
    }
    guard damping >= 0, damping <= 1e30 else {
      throw ValidationError("--damping: expected a number from 0 to 1e30, found \(damping)")
    }
  }

  func run() throws {
    ToolThreads.start(Compute.threads)
    guard let file else {
      let description = try model.flatMap { try ModelDescription.named($0) ?? ModelDescription(contentsOf: $0) }
      return Standard.print(try description.map { try describe(description: $0) } ?? "")
    }
    let damping = natural.damping ?? Self.usualDamping
    if try groups != nil && (CheckpointFile.isOne(path: file) || !Self.isModel(file)) {
      throw ValidationError("--groups: expected a model that was kept, found \(file)")
    }
    if try CheckpointFile.isOne(path: file) { return Standard.print(try Self.describe(checkpoint: file)) }
    if try Self.isModel(file) {
      let groups = try groups.map { try Self.describe(groups: $0, of: file) }
      return Standard.print(try Self.describe(model: file) + (groups ?? ""))
    }
    let array = try NPYArray(path: file)
    let shape = array.shape
    guard shape.count == 2 || shape.count == 3, shape[shape.count - 1] == shape[shape.count - 2], !shape.contains(0)
    else {
      throw DataError(file, expected: "matrices of shape (d, d) or (m, d, d)", found: "shape \(shape)")
    }
    let (m, d) = (shape.count == 3 ? shape[0] : 1, shape[shape.count - 1])
    var table = "matrix       trace     largest    smallest    rank   condition  eff. dimension  log-determinant\n"
    for i in 0..<m {
      var matrix = try Matrix<Double>(rows: d, columns: d, what: "matrix of order \(d)")
      for a in 0..<d { for b in 0..<d { matrix[a, b] = array.number(at: (i * d + a) * d + b) } }
      try requireSymmetry(matrix, i, of: file)
      let spectrum = Spectrum(try matrix.symmetricEigenvalues(), unit: array.isDouble ? 0x1p-52 : 0x1p-24)
      table +=
        String(
          format: "%6d %11.4g %11.4g %11.4g %7d %11.4g %15.4g %16.6g\n", i, spectrum.trace, spectrum.largest,
          spectrum.smallest, spectrum.rank(), spectrum.conditionNumber(damping: damping),
          spectrum.effectiveDimension(damping: damping), spectrum.logDeterminant(damping: damping))
    }
    Standard.print(table)
  }

  private func requireSymmetry(_ matrix: borrowing Matrix<Double>, _ index: Int, of file: String) throws {
    var (largest, asymmetry) = (0.0, 0.0)
    for a in 0..<matrix.rows {
      for b in 0...a {
        largest = max(largest, abs(matrix[a, b]))
        asymmetry = max(asymmetry, abs(matrix[a, b] - matrix[b, a]))
      }
    }
    guard asymmetry <= 1e-5 * largest else {
      throw DataError(
        file, expected: "symmetric matrices", found: "matrix \(index) with entries \(asymmetry) apart")
    }
  }
}

extension NPYArray {
  func number(at index: Int) -> Double {
    switch elements {
    case .float32(let elements): Double(elements[index])
    case .float64(let elements): elements[index]
    }
  }
}
