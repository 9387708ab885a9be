import FisherKitTestSupport
import Testing

/// Up to a million samples that repeat themselves, so that their sums are known: X (n,d) and ν (n,m).
struct LongRun<T: KernelPrecision> {
  let n: Int
  let d = 5
  let m = 9
  let x: UnsafeMutablePointer<T>
  let nu: UnsafeMutablePointer<T>
  /// The samples that are repeated, as the precision holds them.
  let period: Int
  let periodX: [Double]
  let periodNu: [Double]

  enum Kind: CaseIterable {
    /// All samples equal: every rounding has the same sign, and the errors add up.
    case constant
    /// The same inputs with ν of a leaky neuron, one of two numbers.
    case leaky
    /// Normal inputs about 3.
    case offset
    /// Normal inputs about 0.
    case centred
  }

  init(_ kind: Kind, n: Int) {
    self.n = n
    period = kind == .constant ? 1 : 10_000
    var random = SplitMix64(seed: 51)
    var x: [Double] = []
    var nu: [Double] = []
    for _ in 0..<period {
      switch kind {
      case .constant, .leaky: x += (1..<d).map { 0.3 * Double($0) }
      case .offset: x += random.normal(d - 1).map { 3 + $0 }
      case .centred: x += random.normal(d - 1)
      }
      x.append(1)
      switch kind {
      case .constant: nu += (1...m).map { 0.1 * Double($0) }
      case .leaky: nu += (0..<m).map { _ in random.unit() < 0.5 ? 0.01 : 1 }
      case .offset, .centred: nu += random.uniform(m, in: 0...1)
      }
    }
    periodX = T.precision.round(x)
    periodNu = T.precision.round(nu)
    self.x = repeated(T.narrow(x), count: n * d)
    self.nu = repeated(T.narrow(nu), count: n * m)
  }

  func deallocate() {
    x.deallocate()
    nu.deallocate()
  }

  /// Each neuron's sum over all samples; `n` is a multiple of the period.
  func sums() -> [[Double]] {
    Reference.weightedGram(x: periodX, nu: periodNu, n: period, d: d, m: m, alpha: Double(n / period))
  }

  /// The largest error of a neuron's block relative to its largest element, and of its diagonal relative to itself.
  func expectClose(_ storage: [Double], _ expected: [[Double]], tolerance: Double, _ place: String) {
    let batch = BatchMinor(d: d, count: m, precision: T.precision)
    for neuron in 0..<m {
      let block = batch.symmetric(neuron, of: storage)
      expect(
        Comparison.normwise(block, expected[neuron], tolerance: tolerance), T.self, "\(place) neuron \(neuron)")
      let diagonal = (0..<d).map { block[$0 * d + $0] }
      expect(
        Comparison.elementwise(diagonal, (0..<d).map { expected[neuron][$0 * d + $0] }, tolerance: tolerance), T.self,
        "\(place) neuron \(neuron), diagonal")
    }
  }
}

/// `pattern` over and over, `count` elements in all: copied in doubling steps, which is fast in a debug build too.
private func repeated<T: KernelPrecision>(_ pattern: [T], count: Int) -> UnsafeMutablePointer<T> {
  let memory = UnsafeMutablePointer<T>.allocate(capacity: count)
  var filled = min(pattern.count, count)
  pattern.withUnsafeBufferPointer { memory.initialize(from: $0.baseAddress!, count: filled) }
  while filled < count {
    let part = min(filled, count - filled)
    (memory + filled).initialize(from: memory, count: part)
    filled += part
  }
  return memory
}
