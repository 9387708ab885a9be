import FisherKit
import FisherKitTestSupport
import Foundation

#if arch(x86_64) || arch(i386)
  /// What references of badly conditioned solves are computed in.
  typealias Wide = Float80
#else
  typealias Wide = Double
#endif

/// A subsystem over samples of any scale, its matrix from the definition, and the solution by elimination in `Wide`.
struct IllConditionedSystem: CustomStringConvertible {
  enum Kind: String, CaseIterable, Sendable {
    case tanh, softplus, linear, softmax, underSigm, underSoftmax
  }

  let kind: Kind
  let n: Int
  let scale: Double
  let isDouble: Bool
  let d = 6
  let m = 3
  let outputs = 2
  let x: [Double]
  let z: [Double]
  let c: [Double]
  let v: [Double]

  init(_ kind: Kind, n: Int, scale: Double, isDouble: Bool, seed: UInt64) {
    (self.kind, self.n, self.scale, self.isDouble) = (kind, n, scale, isDouble)
    var random = SplitMix64(seed: seed)
    let precision: Reference.Precision = isDouble ? .double : .float
    let d = self.d
    let features = random.normal(n * d)
    x = precision.round(features.enumerated().map { $0.offset % d == d - 1 ? 1 : $0.element * scale })
    z = precision.round(random.normal(n * m).map { 2 * $0 })
    c = precision.round(random.normal(outputs * (m + 1)))
    v = precision.round(random.normal(m * d))
  }

  var description: String { "\(kind.rawValue), \(n) samples, scale \(scale), \(isDouble ? "Double" : "Float")" }

  var isCoupled: Bool { [.softmax, .underSigm, .underSoftmax].contains(kind) }

  func make<S: KernelScalar>(_: S.Type) throws -> any RFIM<S> {
    let x = try Matrix<S>.make(x, rows: n, columns: d)
    let z = try Matrix<S>.make(z, rows: n, columns: m)
    switch kind {
    case .tanh: return try NonlinearLayer(Tanh()).rfim(inputs: x, preactivations: z)
    case .softplus: return try NonlinearLayer(Softplus()).rfim(inputs: x, preactivations: z)
    case .linear: return try LinearLayer(sigma: 0.5).rfim(inputs: x, preactivations: z)
    case .softmax: return try SoftmaxLayer().rfim(inputs: x, preactivations: z)
    case .underSigm, .underSoftmax:
      let outer: any Subsystem = kind == .underSigm ? NonlinearLayer(Sigm()) : SoftmaxLayer()
      return try TwoLayers(hidden: Tanh(), outer: outer).rfim(
        inputs: x, preactivations: z, outerWeights: .make(c, rows: outputs, columns: m + 1))
    }
  }

  /// A_s (m,m) of a sample.
  private func covariance(_ s: Int) -> [[Wide]] {
    let z = (0..<m).map { self.z[s * m + $0] }
    func diagonal(_ values: [Double]) -> [[Wide]] {
      values.indices.map { i in values.indices.map { $0 == i ? Wide(values[i]) : 0 } }
    }
    switch kind {
    case .tanh: return diagonal(z.map { Reference.Activation.tanh.nu($0) })
    case .softplus: return diagonal(z.map { Reference.Activation.relu(iota: 0, omega: 1).nu($0) })
    case .linear: return diagonal(z.map { _ in 4 })
    case .softmax: return softmax(z)
    case .underSigm, .underSoftmax:
      let above = (0..<outputs).map { l in
        (0..<m).reduce(c[l * (m + 1) + m]) { $0 + c[l * (m + 1) + $1] * Foundation.tanh(z[$1]) }
      }
      let o = kind == .underSigm ? diagonal(above.map { Reference.Activation.sigm.nu($0) }) : softmax(above)
      let half = (0..<m).map { i in
        (0..<outputs).map { Wide(Reference.Activation.tanh.derivative(z[i])) * Wide(c[$0 * (m + 1) + i]) }
      }
      return (0..<m).map { i in
        (0..<m).map { j in
          var sum: Wide = 0
          for l in 0..<outputs { for k in 0..<outputs { sum += half[i][l] * o[l][k] * half[j][k] } }
          return sum
        }
      }
    }
  }

  private func softmax(_ z: [Double]) -> [[Wide]] {
    let e = z.map { Wide(exp($0 - z.max()!)) }
    let sum = e.reduce(0, +)
    return e.indices.map { i in
      e.indices.map { j in
        let others = e.indices.reduce(Wide(0)) { $0 + ($1 == i ? 0 : e[$1]) }
        return i == j ? e[i] * others / sum / sum : -e[i] * e[j] / sum / sum
      }
    }
  }

  /// The systems that are independent of each other, with λ = 0: neurons' blocks, or the whole.
  var matrices: [[Wide]] {
    let size = m * d
    var whole = [Wide](repeating: 0, count: size * size)
    for s in 0..<n {
      let a = covariance(s)
      for i in 0..<m {
        for j in 0..<m where isCoupled || i == j {
          for p in 0..<d {
            for q in 0..<d {
              whole[(i * d + p) * size + j * d + q] += a[i][j] * Wide(x[s * d + p]) * Wide(x[s * d + q]) / Wide(n)
            }
          }
        }
      }
    }
    if isCoupled { return [whole] }
    return (0..<m).map { i in (0..<d * d).map { whole[(i * d + $0 / d) * size + i * d + $0 % d] } }
  }

  /// The largest ‖x − x*‖/‖x*‖ of the systems.
  func error(of found: [Double], matrices: [[Wide]], damping: Double) -> Double {
    let size = m * d / matrices.count
    return matrices.indices.reduce(0) { (largest, i) in
      let part = i * size..<(i + 1) * size
      let expected = eliminate(matrices[i], v[part].map { Wide($0) }, damping: Wide(damping))
      let difference = zip(found[part], expected).map { Wide($0) - $1 }
      let error = Double(norm(difference) / norm(expected))
      return error.isNaN ? .infinity : max(largest, error)
    }
  }

  /// The largest ‖v − (Ĝ + λI)x‖/‖v‖ of the systems.
  func residual(of found: [Double], matrices: [[Wide]], damping: Double) -> Double {
    let size = m * d / matrices.count
    return matrices.indices.reduce(0) { (largest, i) in
      let rest = (0..<size).map { row in
        (0..<size).reduce(Wide(v[i * size + row]) - Wide(damping) * Wide(found[i * size + row])) {
          $0 - matrices[i][row * size + $1] * Wide(found[i * size + $1])
        }
      }
      return max(largest, Double(norm(rest) / norm(v[i * size..<(i + 1) * size].map { Wide($0) })))
    }
  }

  private func norm(_ vector: [Wide]) -> Wide { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
