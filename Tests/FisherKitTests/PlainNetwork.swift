import FisherKit
import FisherKitTestSupport

/// A network in plain arrays of rows, written from the definitions: what layers made of layers are compared with.
indirect enum PlainLayer: Sendable {
  case dense(Int, Int, Reference.Activation)
  case normalization(Int)
  case sequence([PlainLayer])
  case residual(PlainLayer)
  case sum([PlainLayer])
  case concatenation([PlainLayer])

  typealias Rows = [[Double]]

  /// A pass: the weights that are still to come, what fed each parameter, and where given, the averages that a
  /// normalisation goes by instead of those of its rows.
  struct Pass {
    var weights: ArraySlice<[Double]>
    var averages: ArraySlice<(mean: [Double], variance: [Double])>?
    /// X̃ (bias last) and z of a dense layer; x̂ twice of a normalisation.
    var fed: [(inputs: Rows, preactivations: Rows)] = []

    init(_ weights: [[Double]], averages: [(mean: [Double], variance: [Double])]? = nil) {
      (self.weights, self.averages) = (weights[...], averages.map { $0[...] })
    }
  }

  func output(_ x: Rows, _ pass: inout Pass) -> Rows {
    switch self {
    case .dense(let inputs, let outputs, let activation):
      let w = pass.weights.removeFirst()
      let fed = x.map { $0 + [1] }
      let z = fed.map { row in
        (0..<outputs).map { i in (0...inputs).reduce(0) { $0 + w[i * (inputs + 1) + $1] * row[$1] } }
      }
      pass.fed.append((fed, z))
      return z.map { $0.map(activation.value) }
    case .normalization(let channels):
      let (w, averages) = (pass.weights.removeFirst(), pass.averages?.removeFirst())
      let columns = (0..<channels).map { c in x.map { $0[c] } }
      let mean = averages?.mean ?? columns.map(Self.mean)
      let variance =
        averages?.variance
        ?? columns.map { column in
          let center = Self.mean(column)
          return Self.mean(column.map { ($0 - center) * ($0 - center) })
        }
      let deviation = variance.map { ($0 + 1e-3).squareRoot() }
      let normal: Rows = x.map { row in (0..<channels).map { (row[$0] - mean[$0]) / deviation[$0] } }
      pass.fed.append((normal, normal))
      return normal.map { row -> [Double] in
        (0..<channels).map { (c: Int) -> Double in w[2 * c] * row[c] + w[2 * c + 1] }
      }
    case .sequence(let layers): return layers.reduce(x) { $1.output($0, &pass) }
    case .residual(let body): return Self.added(x, body.output(x, &pass))
    case .sum(let branches):
      let outputs = branches.map { $0.output(x, &pass) }
      return outputs.dropFirst().reduce(outputs[0], Self.added)
    case .concatenation(let branches):
      let outputs = branches.map { $0.output(x, &pass) }
      return x.indices.map { row in outputs.flatMap { $0[row] } }
    }
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  private static func added(_ a: Rows, _ b: Rows) -> Rows { zip(a, b).map { zip($0, $1).map { $0 + $1 } } }

  /// The kinds of its parameters, in their order: dense layers, and normalisations (`nil`).
  var activations: [Reference.Activation?] {
    switch self {
    case .dense(_, _, let activation): [activation]
    case .normalization: [nil]
    case .sequence(let layers), .sum(let layers), .concatenation(let layers): layers.flatMap(\.activations)
    case .residual(let body): body.activations
    }
  }

  var outputs: Int {
    switch self {
    case .dense(_, let outputs, _), .normalization(let outputs): outputs
    case .sequence(let layers): layers[layers.count - 1].outputs
    case .residual(let body): body.outputs
    case .sum(let branches): branches[0].outputs
    case .concatenation(let branches): branches.reduce(0) { $0 + $1.outputs }
    }
  }

  /// The library's, with parameters called 0, 1, 2, …
  func make<S: KernelScalar>(_: S.Type = S.self, positions: Int = 1, seed: UInt64 = 1) throws -> any Layer<S> {
    var generator = SeededGenerator(seed: seed, stream: .initialisation)
    var count = 0
    return try make(positions, &count, &generator)
  }

  private func make<S: KernelScalar>(
    _ positions: Int, _ count: inout Int, _ generator: inout SeededGenerator
  ) throws -> any Layer<S> {
    switch self {
    case .dense(let inputs, let outputs, let activation):
      count += 1
      return try Dense<S>(
        inputs: inputs, outputs: outputs, activation: activation.layer, positions: positions, name: "\(count - 1)",
        using: &generator)
    case .normalization(let channels):
      count += 1
      return try BatchNormalization<S>(
        channels: channels, subsystem: BatchNorm(), positions: positions, name: "\(count - 1)")
    case .sequence(let layers): return try Sequential<S>(layers.map { try $0.make(positions, &count, &generator) })
    case .residual(let body): return try Residual<S>(body.make(positions, &count, &generator))
    case .sum(let branches):
      return try Parallel<S>(branches.map { try $0.make(positions, &count, &generator) }, joining: .sum)
    case .concatenation(let branches):
      return try Parallel<S>(branches.map { try $0.make(positions, &count, &generator) })
    }
  }
}

extension Reference.Activation {
  fileprivate var layer: any Activation {
    switch self {
    case .tanh: Tanh()
    case .sigm: Sigm()
    default: Linear()
    }
  }
}

extension Layer {
  /// The normalisations in it, in the order of their parameters.
  var normalizations: [BatchNormalization<Scalar>] {
    switch self {
    case let layer as BatchNormalization<Scalar>: [layer]
    case let layer as Sequential<Scalar>: layer.layers.flatMap { $0.normalizations }
    case let layer as Residual<Scalar>: layer.body.normalizations
    case let layer as Parallel<Scalar>: layer.branches.flatMap { $0.normalizations }
    default: []
    }
  }
}
