import CKernels
import FisherKitTestSupport
import Testing

/// The relative Fisher matrix of a hidden layer through the layer above it (eq 12), as a product.
struct TwoLayerBlock<T: KernelPrecision> {
  let n: Int
  let d: Int
  let m: Int
  let outputs: Int
  let kind: Reference.Outputs
  let alpha: Double
  let threads: Int32
  let x: GuardedMatrix<T>
  let slopes: GuardedMatrix<T>
  let c: GuardedMatrix<T>
  let above: GuardedMatrix<T>
  let v: GuardedMatrix<T>

  var place: String { "n \(n) d \(d) m \(m) outputs \(outputs) \(kind) alpha \(alpha) threads \(threads)" }

  init(
    n: Int, d: Int, m: Int, outputs: Int, kind: Reference.Outputs, alpha: Double = 1, threads: Int32 = 1,
    layout: GuardedMatrix<T>.Layout = .strided
  ) {
    (self.n, self.d, self.m, self.outputs, self.kind, self.alpha) = (n, d, m, outputs, kind, alpha)
    self.threads = threads
    var random = SplitMix64(seed: 71)
    x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d, layout: layout)
    slopes = GuardedMatrix<T>(random.uniform(n * m, in: 0...1), rows: n, columns: m, layout: layout)
    c = GuardedMatrix<T>(random.normal(outputs * m), rows: outputs, columns: m, layout: layout)
    let logits = random.normal(n * outputs)
    let softmax = Reference.softmax(z: logits, n: n, m: outputs)
    above = GuardedMatrix<T>(
      kind == .softmax ? softmax.eta : softmax.nu, rows: n, columns: outputs, layout: layout)
    v = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: layout)
  }

  func product() -> [Double] {
    let result = GuardedMatrix<T>(rows: m, columns: d, layout: .strided)
    let work = WorkSpace(T.kernels.twoLayerMatvecWorkSize(n, m, outputs))
    let status = T.kernels.twoLayerMatvec(
      result.pointer, result.leadingDimension, x.pointer, x.leadingDimension, slopes.pointer, slopes.leadingDimension,
      c.pointer, c.leadingDimension, above.pointer, above.leadingDimension, v.pointer, v.leadingDimension, n, d, m,
      outputs, kind == .softmax ? FK_OUTPUTS_SOFTMAX : FK_OUTPUTS_INDEPENDENT, alpha, work.pointer, work.size, threads)
    expect(status, T.self, place)
    expectIntact([result, x, slopes, c, above, v], place)
    expect(work.isIntact, T.self, "\(place): written past the work space")
    return result.elements
  }

  func expected(byProducts: Bool = false) -> [Double] {
    let formula = byProducts ? Reference.twoLayerMatvecByProducts : Reference.twoLayerMatvec
    return formula(
      x.elements, slopes.elements, c.elements, above.elements, kind, v.elements, n, d, m, outputs, alpha)
  }

  /// The same sum with every factor's magnitude: what rounding errors are relative to.
  var scale: Double {
    func magnitude(_ matrix: GuardedMatrix<T>) -> [Double] { matrix.elements.map { abs($0) } }
    return Reference.maximumNorm(
      Reference.twoLayerMatvecByProducts(
        x: magnitude(x), slopes: magnitude(slopes), c: magnitude(c), above: magnitude(above), kind: .independent,
        v: magnitude(v), n: n, d: d, m: m, outputs: outputs, alpha: abs(alpha)))
  }
}

@Suite struct TwoLayerTests {
  @Test(arguments: Target.all) func matchesTheDefinition(target: Target) { target.run { matchesTheDefinition($0) } }

  func matchesTheDefinition<T: KernelPrecision>(_ type: T.Type) {
    for kind in [Reference.Outputs.independent, .softmax] {
      for (d, m) in [(1, 1), (3, 2), (2, 5), (7, 8), (5, 9), (4, 17)] {
        for outputs in [1, 3, 8, 17] {
          for n in [1, 5] {
            check(TwoLayerBlock<T>(n: n, d: d, m: m, outputs: outputs, kind: kind, alpha: 1 / Double(n)))
          }
        }
      }
    }
  }

  /// Above the work worth a second thread, against the reference for such sizes.
  @Test(arguments: Target.all) func matchesOnManyThreads(target: Target) { target.run { matchesOnManyThreads($0) } }

  func matchesOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    for kind in [Reference.Outputs.independent, .softmax] {
      for threads in Sizes.threads + [0] {
        for (n, d, m, outputs) in [(600, 9, 33, 40), (1100, 3, 460, 2), (90, 60, 50, 10)] {
          check(
            TwoLayerBlock<T>(n: n, d: d, m: m, outputs: outputs, kind: kind, alpha: -0.5, threads: threads),
            byProducts: true)
        }
      }
    }
  }

  func check<T: KernelPrecision>(_ block: TwoLayerBlock<T>, byProducts: Bool = false) {
    let terms = max(block.n, block.d, block.m, block.outputs)
    let comparison = Comparison.normwise(
      block.product(), block.expected(byProducts: byProducts), scale: block.scale,
      tolerance: Tolerance.twoLayer.relative(T.precision, terms: terms))
    expect(comparison, T.self, block.place)
  }

  @Test func referenceByProductsMatchesTheDefinition() {
    for kind in [Reference.Outputs.independent, .softmax] {
      for (n, d, m, outputs) in [(1, 1, 1, 1), (3, 4, 2, 5), (7, 9, 10, 3)] {
        let block = TwoLayerBlock<Double>(n: n, d: d, m: m, outputs: outputs, kind: kind, alpha: 0.3)
        let comparison = Comparison.normwise(
          block.expected(byProducts: true), block.expected(), scale: block.scale,
          tolerance: Tolerance.twoLayer.relative(.double, terms: 10))
        expect(comparison, Double.self, block.place)
      }
    }
  }

  @Test(arguments: Target.all) func emptySizes(target: Target) { target.run { emptySizes($0) } }

  func emptySizes<T: KernelPrecision>(_ type: T.Type) {
    for kind in [Reference.Outputs.independent, .softmax] {
      for (n, d, m, outputs) in [(0, 3, 4, 2), (2, 0, 4, 2), (2, 3, 0, 2), (2, 3, 4, 0)] {
        let block = TwoLayerBlock<T>(n: n, d: d, m: m, outputs: outputs, kind: kind)
        expect(block.product().allSatisfy { $0 == 0 }, type, block.place)
      }
    }
  }
}
