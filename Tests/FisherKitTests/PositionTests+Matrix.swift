import FisherKitTestSupport

@testable import FisherKit

/// The kinds of layers, and their matrices as they are defined.
extension PositionTests {
  enum Kind: String, CaseIterable, Sendable {
    case neurons, linear, softmax, coupled, pair

    var subsystem: any Subsystem {
      switch self {
      case .neurons: NonlinearLayer(Tanh())
      case .linear: try! LinearLayer(sigma: 0.5)
      case .softmax: SoftmaxLayer()
      case .coupled: CoupledPair()
      case .pair: TwoLayers(hidden: Tanh(), outer: SoftmaxLayer())
      }
    }
  }

  /// Neurons with the same noise, twice as large in the first: A = rrᵀ.
  private struct CoupledPair: Subsystem, Coupling {
    static let root = [2.0, 1, 1]
    var description: String { "layer of the same noise" }
    var form: Form { .coupled(self) }
    func rank(neurons m: Int) -> Int { 1 }
    func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
      for s in 0..<z.rows { for i in 0..<z.columns { nu[s, i] = S(Self.root[i] * Self.root[i]) } }
    }
    func covariance<S: KernelScalar>(
      preactivations z: borrowing Matrix<S>
    ) throws(FisherError) -> any SampleCovariance<S> {
      var roots = try Matrix<S>(rows: z.rows, columns: z.columns, what: "roots")
      for s in 0..<z.rows { for i in 0..<z.columns { roots[s, i] = S(Self.root[i]) } }
      return try RootCovariance(roots: roots, samples: z.rows)
    }
  }

  private func softmaxCovariance(_ z: ArraySlice<Double>) -> [[Double]] {
    let eta = Reference.softmax(z: Array(z), n: 1, m: z.count).eta
    return eta.indices.map { i in eta.indices.map { (i == $0 ? eta[i] : 0) - eta[i] * eta[$0] } }
  }

  /// A of a row (m, m).
  private func covariance(_ kind: Kind, _ row: Int) -> [[Double]] {
    let z = z[row * m..<(row + 1) * m]
    func diagonal(_ value: (Double) -> Double) -> [[Double]] {
      (0..<m).map { i in (0..<m).map { $0 == i ? value(z[z.startIndex + i]) : 0 } }
    }
    switch kind {
    case .neurons: return diagonal(Reference.Activation.tanh.nu)
    case .linear: return diagonal { _ in 4 }
    case .softmax: return softmaxCovariance(z)
    case .coupled: return CoupledPair.root.map { a in CoupledPair.root.map { a * $0 } }
    case .pair:
      let o = softmaxCovariance(zAbove[row * above..<(row + 1) * above])
      let slopes = z.map(Reference.Activation.tanh.derivative)
      return (0..<m).map { i in
        (0..<m).map { j in
          var sum = 0.0
          for l in 0..<above { for k in 0..<above { sum += c[l * (m + 1) + i] * o[l][k] * c[k * (m + 1) + j] } }
          return sum * slopes[i] * slopes[j]
        }
      }
    }
  }

  /// (1/n) Σ_s Σ_t A_st ⊗ x̃_stx̃_stᵀ over these rows, which stand for so many samples.
  func matrix(_ kind: Kind, rows: [Int]? = nil) -> [Double] {
    let rows = rows ?? Array(0..<samples * positions)
    let n = Double(rows.count) / Double(positions)
    var matrix = [Double](repeating: 0, count: m * d * m * d)
    for row in rows {
      let a = covariance(kind, row)
      for k in matrix.indices {
        let ((i, p), (j, q)) = ((k / (m * d) / d, k / (m * d) % d), (k % (m * d) / d, k % (m * d) % d))
        matrix[k] += a[i][j] * x[row * d + p] * x[row * d + q] / n
      }
    }
    return matrix
  }

  /// The mean A of all rows ⊗ (1/n) Σ_s Σ_t x̃_stx̃_stᵀ.
  func kroneckerMatrix(_ kind: Kind) -> [Double] {
    let rows = samples * positions
    var (a, s) = ([Double](repeating: 0, count: m * m), [Double](repeating: 0, count: d * d))
    for row in 0..<rows {
      let one = covariance(kind, row)
      for k in a.indices { a[k] += one[k / m][k % m] / Double(rows) }
      for k in s.indices { s[k] += x[row * d + k / d] * x[row * d + k % d] / Double(samples) }
    }
    return (0..<m * d * m * d).map { k in
      let (row, column) = (k / (m * d), k % (m * d))
      return a[row / d * m + column / d] * s[row % d * d + column % d]
    }
  }

  /// Of each neuron's block the diagonal and the bias's row, each input with the bias alone (Ollivier 2015, 2.3).
  func quasiDiagonal(_ matrix: [Double], _ v: [Double], damping: Double) -> [Double] {
    let size = m * d
    return (0..<m).flatMap { i -> [Double] in
      func element(_ a: Int, _ b: Int) -> Double { matrix[(i * d + a) * size + i * d + b] + (a == b ? damping : 0) }
      let (bias, c) = (d - 1, element(d - 1, d - 1))
      var step = [Double](repeating: 0, count: d)
      step[bias] = v[i * d + bias] / c
      for j in 0..<bias {
        let b = element(j, bias)
        step[j] = (v[i * d + j] - v[i * d + bias] * b / c) / (element(j, j) - b * b / c)
        step[bias] -= b / c * step[j]
      }
      return step
    }
  }

  /// The same without what is between neurons.
  func blocks(_ matrix: [Double]) -> [Double] {
    matrix.indices.map { $0 / (m * d) / d == $0 % (m * d) / d ? matrix[$0] : 0 }
  }

  func site<S: KernelScalar>(_: S.Type, _ kind: Kind) -> CurvatureSite<S> {
    CurvatureSite<S>(
      Site(
        name: "tokens", neurons: m, order: d, subsystem: kind.subsystem, positions: positions,
        neuronsAbove: kind == .pair ? above : nil),
      batchSize: samples, refreshInterval: 1, damping: .absolute(damping))
  }

  func observe<S: KernelScalar>(
    _: S.Type, _ kind: Kind, _ body: (borrowing Observation<S>) throws(FisherError) -> Void
  ) throws {
    let rows = samples * positions
    if kind == .pair {
      try Observation<S>.with(
        inputs: .make(x, rows: rows, columns: d), preactivations: .make(z, rows: rows, columns: m),
        positions: positions, weightsAbove: .make(c, rows: above, columns: m + 1),
        preactivationsAbove: .make(zAbove, rows: rows, columns: above), body)
    } else {
      try Observation<S>.with(
        inputs: .make(x, rows: rows, columns: d), preactivations: .make(z, rows: rows, columns: m),
        positions: positions, body)
    }
  }
}
