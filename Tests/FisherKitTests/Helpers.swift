@testable import FisherKit
import FisherKitTestSupport
import Foundation

extension Matrix {
  /// A matrix from row-major numbers.
  static func make(_ elements: [Double], rows: Int, columns: Int) throws -> Matrix {
    var matrix = try Matrix(rows: rows, columns: columns)
    for i in 0..<rows {
      for j in 0..<columns { matrix[i, j] = Scalar(elements[i * columns + j]) }
    }
    return matrix
  }

  /// The elements as row-major numbers.
  var numbers: [Double] { elements.flatMap { $0.map(Double.init) } }
}

/// Every activation that a layer can run, smooth or not.
var activations: [any Activation] {
  get throws {
    try builtInActivations + [
      Relu(iota: 0.1), Relu(omega: 1), Relu(iota: 0.2, omega: 0.5), Elu(alpha: 0.3), LeakyRelu(iota: 0.3),
      OwnSoftplus(),
    ]
  }
}

/// The types that files of a folder of the library declare in this way: what stands in the pattern's parentheses.
func declared(in folder: String, as pattern: Regex<(Substring, Substring)>) throws -> Set<String> {
  let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/FisherKit/\(folder)")
  var names: Set<String> = []
  for file in try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
  where file.pathExtension == "swift" {
    for match in try String(contentsOf: file, encoding: .utf8).matches(of: pattern) { names.insert(String(match.1)) }
  }
  return names
}

/// The kinds of layers that a file knows, as its errors name them.
var builtInKinds: String { builtInLayers(Float.self).map { $0.kind }.joined(separator: ", ") }

/// An activation of a user's own, without a C kernel.
struct OwnSoftplus: Activation {
  let name = "own softplus"
  let output = NeuronOutput.gaussian
  func value(at z: Double) -> Double { Reference.Activation.relu(iota: 0, omega: 1).value(z) }
  func derivative(at z: Double) -> Double { Reference.Activation.relu(iota: 0, omega: 1).derivative(z) }
}

/// A Bernoulli neuron without a C kernel: tanh again, by the general rule of eq 4.
struct GenericTanh: Activation {
  let name = "generic tanh"
  let output = NeuronOutput.bernoulli(low: -1, high: 1)
  func value(at z: Double) -> Double { Tanh().value(at: z) }
  func derivative(at z: Double) -> Double { Tanh().derivative(at: z) }
}

/// A small problem: a network in `Scalar`, and a mini-batch in its input.
func smallNetwork<S: KernelScalar>(
  _: S.Type, shape: [Int] = [5, 7, 6, 4], activation: any Activation = Tanh(),
  metricActivation: (any Activation)? = nil, samples: Int = 9, capacity: Int? = nil, seed: UInt64 = 1
) throws -> (model: Sequential<S>, labels: [Int32]) {
  let model = try Sequential<S>.perceptron(
    shape: shape, activation: activation, metricActivation: metricActivation, batchCapacity: capacity ?? samples,
    seed: seed)
  var generator = SplitMix64(seed: seed)
  return (model, try fill(model, samples: samples, using: &generator))
}

/// Puts a random mini-batch into the network's input, and returns its labels.
func fill<S: KernelScalar>(
  _ model: Sequential<S>, samples: Int, using generator: inout SplitMix64
) throws -> [Int32] {
  let d = model.inputs + 1
  let x = generator.samples(n: samples, d: d)
  model.input.assign((0..<samples).map { i in (0..<d).map { S(x[i * d + $0]) } })
  return generator.labels(n: samples, m: model.outputs)
}

extension CurvatureSite {
  /// What curvatures have reported since the last call.
  func takeIncidents() -> [Incident] { incidents.take(step: 0) }
}

/// What `body` throws, or `nil`.
func failure(of body: () throws -> Void) -> (any Error)? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}

extension CurvatureSite {
  /// From 0, of the layers of a ``smallNetwork``.
  var number: Int { (Int(String(name.last ?? "1")) ?? 1) - 1 }
}

extension Metric {
  /// The curvature of a layer by itself, or of one between two others: the paper's metric tells them apart.
  func makeCurvature<S: KernelScalar>(
    for site: CurvatureSite<S>, isInside: Bool
  ) throws -> any Curvature<S> {
    isInside && name == "paper" ? try makeCurvatures(for: [site, site, site])[1] : try makeCurvature(for: site)
  }
}

/// The rows that a window draws from mini-batches (Knuth's algorithm S with its stream of numbers), one after the other.
struct WindowDraws {
  private var generator = SeededGenerator(seed: 0, stream: .windows)

  mutating func rows(_ count: Int, of all: Int) -> [Int] {
    var rows: [Int] = []
    for row in 0..<all where rows.count < count {
      let (left, wanted) = (all - row, count - rows.count)
      if left == wanted || generator.uniform(below: left) < wanted { rows.append(row) }
    }
    return rows
  }
}

extension [Double] {
  /// Some rows of a matrix that lies row by row.
  func rows(_ rows: [Int], columns: Int) -> [Double] { rows.flatMap { self[$0 * columns..<($0 + 1) * columns] } }
}
