/// A number as the unevaluated sum of two doubles, about 106 bits: what the residual of a solve in double precision is
/// computed in. Where numbers exceed 2⁹⁹⁵ results are NaN, which nothing takes for a small residual.
struct Twofold {
  var high: Double
  var low: Double

  @inline(__always) init(_ high: Double, _ low: Double = 0) {
    self.high = high
    self.low = low
  }

  /// a + b, exactly (Knuth).
  @inline(__always) static func sum(_ a: Double, _ b: Double) -> Twofold {
    let high = a + b
    let part = high - a
    return Twofold(high, (a - (high - part)) + (b - part))
  }

  /// ab, exactly (Dekker). Not by a fused multiply-add, which is a call on CPUs that a build cannot count on to have one.
  @inline(__always) static func product(_ a: Double, _ b: Double) -> Twofold {
    let high = a * b
    let (a1, a2) = split(a)
    let (b1, b2) = split(b)
    return Twofold(high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2)
  }

  /// The upper and the lower half of the digits (Veltkamp).
  @inline(__always) private static func split(_ a: Double) -> (Double, Double) {
    let scaled = 0x1p27 * a + a
    let upper = scaled - (scaled - a)
    return (upper, a - upper)
  }

  @inline(__always) static func + (a: Twofold, b: Twofold) -> Twofold {
    let sum = sum(a.high, b.high)
    return Twofold.sum(sum.high, sum.low + (a.low + b.low))
  }

  @inline(__always) static prefix func - (a: Twofold) -> Twofold { Twofold(-a.high, -a.low) }

  @inline(__always) static func - (a: Twofold, b: Twofold) -> Twofold { a + -b }

  @inline(__always) static func * (a: Twofold, b: Double) -> Twofold {
    let product = product(a.high, b)
    return Twofold.sum(product.high, product.low + a.low * b)
  }

  @inline(__always) static func / (a: Twofold, b: Twofold) -> Twofold {
    let quotient = a.high / b.high
    let rest = a - b * quotient
    return Twofold.sum(quotient, rest.high / b.high)
  }
}

/// A matrix of such numbers.
struct TwofoldMatrix: ~Copyable {
  private(set) var high: Matrix<Double>
  private(set) var low: Matrix<Double>

  init(rows: Int, columns: Int, what: String) throws(FisherError) {
    let high = try Matrix<Double>(rows: rows, columns: columns, what: what)
    let low = try Matrix<Double>(rows: rows, columns: columns, what: what)
    self.high = high
    self.low = low
  }

  var rows: Int { high.rows }
  var columns: Int { high.columns }

  subscript(i: Int, j: Int) -> Twofold {
    @inline(__always) get {
      let place = i * high.stride + j
      return Twofold(high.storage.base[place], low.storage.base[place])
    }
    @inline(__always) set {
      let place = i * high.stride + j
      high.storage.base[place] = newValue.high
      low.storage.base[place] = newValue.low
    }
  }

  mutating func setToZero() {
    high.setToZero()
    low.setToZero()
  }

  /// self += other
  mutating func add(_ other: borrowing Matrix<Double>) {
    demand(rows == other.rows && columns == other.columns, "matrices of another shape")
    for i in 0..<rows {
      for j in 0..<columns { self[i, j] = self[i, j] + Twofold(other.storage.base[i * other.stride + j]) }
    }
  }

  /// Row s *= weights[s], element by element.
  mutating func multiplyElements(_ weights: borrowing Matrix<Double>) {
    demand(rows == weights.rows && columns <= weights.columns, "matrices of another shape")
    for i in 0..<rows {
      for j in 0..<columns { self[i, j] = self[i, j] * weights.storage.base[i * weights.stride + j] }
    }
  }

  mutating func scale(by factor: Double) {
    for i in 0..<rows {
      for j in 0..<columns { self[i, j] = self[i, j] * factor }
    }
  }

  /// self (n,k) = A Bᵀ, of A (n,d) and B (k,d). Cost about 25 operations for each of the n k d products.
  mutating func setToProduct(_ a: borrowing Matrix<Double>, transposed b: borrowing TwofoldMatrix) throws(FisherError) {
    var turned = try TwofoldMatrix(rows: b.columns, columns: b.rows, what: "transposed factor")
    for i in 0..<b.rows {
      for j in 0..<b.columns { turned[j, i] = b[i, j] }
    }
    setToZero()
    for s in 0..<rows {
      for j in 0..<b.columns {
        addRow(s, Twofold(a.storage.base[s * a.stride + j]), turned.high, j)
        addRow(s, a.storage.base[s * a.stride + j], turned.low, j)
      }
    }
  }

  /// self (n,k) = A B, of A (n,m) and B (m,k).
  mutating func setToProduct(_ a: borrowing TwofoldMatrix, _ b: borrowing Matrix<Double>) {
    setToZero()
    for s in 0..<rows {
      for j in 0..<a.columns { addRow(s, a[s, j], b, j) }
    }
  }

  /// self (m,d) = AᵀB, of A (n,m) and B (n,d).
  mutating func setToProduct(transposed a: borrowing TwofoldMatrix, _ b: borrowing Matrix<Double>) {
    setToZero()
    for s in 0..<a.rows {
      for i in 0..<rows { addRow(i, a[s, i], b, s) }
    }
  }

  /// Row i += factor · row j of other.
  private mutating func addRow(_ i: Int, _ factor: Twofold, _ other: borrowing Matrix<Double>, _ j: Int) {
    let (upper, lower) = (high.storage.base + i * high.stride, low.storage.base + i * low.stride)
    let row = other.storage.base + j * other.stride
    for k in 0..<columns {
      let product = Twofold.product(factor.high, row[k])
      let sum = Twofold.sum(upper[k], product.high)
      upper[k] = sum.high
      lower[k] += sum.low + (product.low + factor.low * row[k])
    }
  }

  /// The lower part of row i += factor · row j of other.
  private mutating func addRow(_ i: Int, _ factor: Double, _ other: borrowing Matrix<Double>, _ j: Int) {
    let (lower, row) = (low.storage.base + i * low.stride, other.storage.base + j * other.stride)
    for k in 0..<columns { lower[k] += factor * row[k] }
  }
}
