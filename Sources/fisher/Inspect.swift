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

      Of a checkpoint, such as fisher train --checkpoint writes: how far the run was, all settings of the run, and what is in \
      it by name; the file is checked on the way.
      """)

  @Argument(
    help: ArgumentHelp(
      "The matrices, the model or the checkpoint.", valueName: "g.npy|model.safetensors|step.checkpoint")) var file:
    String
  @Option(parsing: .unconditional, help: ArgumentHelp("λ.", valueName: "λ")) var damping = 0.005
  @Option(help: ArgumentHelp("Groups of a model's parameters, in JSON.", valueName: "file")) var groups: String?

  func validate() throws {
    guard damping >= 0, damping <= 1e30 else {
      throw ValidationError("--damping: expected a number from 0 to 1e30, found \(damping)")
    }
  }

  func run() throws {
    ToolThreads.start(Compute.threads)
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
      try requireSymmetry(matrix, i)
      let spectrum = Spectrum(try matrix.symmetricEigenvalues(), unit: array.isDouble ? 0x1p-52 : 0x1p-24)
      table +=
        String(
          format: "%6d %11.4g %11.4g %11.4g %7d %11.4g %15.4g %16.6g\n", i, spectrum.trace, spectrum.largest,
          spectrum.smallest, spectrum.rank(), spectrum.conditionNumber(damping: damping),
          spectrum.effectiveDimension(damping: damping), spectrum.logDeterminant(damping: damping))
    }
    Standard.print(table)
  }

  private func requireSymmetry(_ matrix: borrowing Matrix<Double>, _ index: Int) throws {
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
