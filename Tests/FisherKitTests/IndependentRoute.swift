import FisherKit
import FisherKitTestSupport
import Foundation

/// Samples and their ν, and the Fisher matrices they make, one sample and one element at a time.
struct Window {
  private var x: [Double] = []
  private var nu: [Double] = []
  private var samples = 0

  mutating func add(x: [Double], nu: [Double], samples: Int) {
    self.x += x
    self.nu += nu
    self.samples += samples
  }

  /// (1/n) Σ ν_i x̃x̃ᵀ for each neuron; the window is empty then.
  mutating func takeMatrices(neurons m: Int, order d: Int) -> [[Double]] {
    var matrices = Array(repeating: Array(repeating: 0.0, count: d * d), count: m)
    for s in 0..<samples {
      for i in 0..<m {
        for a in 0..<d {
          for b in 0..<d {
            matrices[i][a * d + b] += nu[s * m + i] * x[s * d + a] * x[s * d + b] / Double(samples)
          }
        }
      }
    }
    self = Window()
    return matrices
  }
}

/// (A + λI)⁻¹ v by Gaussian elimination with partial pivoting.
func eliminate<T: BinaryFloatingPoint>(_ a: [T], _ v: [T], damping: T) -> [T] {
  let d = v.count
  var rows = (0..<d).map { i in (0..<d).map { a[i * d + $0] + (i == $0 ? damping : 0) } + [v[i]] }
  for k in 0..<d {
    let pivot = (k..<d).max { abs(rows[$0][k]) < abs(rows[$1][k]) }!
    rows.swapAt(k, pivot)
    for i in (k + 1)..<max(d, k + 1) {
      let factor = rows[i][k] / rows[k][k]
      for j in k...d { rows[i][j] -= factor * rows[k][j] }
    }
  }
  var x = Array(repeating: T(0), count: d)
  for i in (0..<d).reversed() {
    let rest = ((i + 1)..<max(d, i + 1)).reduce(T(0)) { $0 + rows[i][$1] * x[$1] }
    x[i] = (rows[i][d] - rest) / rows[i][i]
  }
  return x
}

/// A kind of layer, for tests that go over all of them; neurons are tanh.
enum LayerKind: String, CaseIterable, Sendable {
  case neurons, softmax

  var subsystem: any Subsystem { self == .softmax ? SoftmaxLayer() : NonlinearLayer(Tanh()) }

  /// (Ĝ + λI)⁻¹v over samples x (n,d) with pre-activations z (n,m), summed one by one and eliminated; with `shared`, ν = 1.
  func direction(
    x: [Double], z: [Double], v: [Double], d: Int, m: Int, damping: Double, shared: Bool = false
  ) -> [Double] {
    let n = x.count / d
    if self == .softmax, !shared {
      let eta = Reference.softmax(z: z, n: n, m: m).eta
      let matrix = Reference.softmaxBlock(x: x, eta: eta, n: n, d: d, m: m, alpha: 1 / Double(n))
      return eliminate(matrix, v, damping: damping)
    }
    var window = Window()
    window.add(x: x, nu: z.map { shared ? 1 : Reference.Activation.tanh.nu($0) }, samples: n)
    let matrices = window.takeMatrices(neurons: m, order: d)
    return (0..<m).flatMap { eliminate(matrices[$0], Array(v[($0 * d)..<($0 * d + d)]), damping: damping) }
  }
}
