import CKernels
import FisherKitTestSupport
import Testing

@Suite struct InverseTests {
  @Test(arguments: Target.all) func invertsDampedBlocks(target: Target) { target.run { invertsDampedBlocks($0) } }

  func invertsDampedBlocks<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 51)
    for d in [0] + Sizes.all + [6, 11, 12, 13, 24, 25, 48, 49, 65] {
      for m in [0, 1, 8, 15, 17] {
        let blocks = (0..<m).map { _ in random.positiveDefinite(d: d, condition: 10) }
        checkInverse(CholeskyBatch<T>(blocks, d: d, damping: 0.1, layout: .strided), condition: 10)
      }
    }
  }

  /// Above the work worth a second thread.
  @Test(arguments: Target.all) func invertsOnManyThreads(target: Target) { target.run { invertsOnManyThreads($0) } }

  func invertsOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 52)
    let blocks = (0..<70).map { _ in random.positiveDefinite(d: 34, condition: 10) }
    for threads in Sizes.threads + [0] {
      checkInverse(CholeskyBatch<T>(blocks, d: 34, damping: 0.01, threads: threads), condition: 10)
    }
  }

  /// The error is the condition times rounding and no more, whatever the scale of a block and its neighbours'.
  @Test(arguments: Target.all) func errorGrowsWithTheConditionOnly(target: Target) {
    target.run { errorGrowsWithTheConditionOnly($0) }
  }

  func errorGrowsWithTheConditionOnly<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 53)
    let worst = T.precision == .float ? 1e4 : 1e12
    let scales = T.precision == .float ? [1e-12, 1, 1e12] : [1e-100, 1, 1e100]
    for d in [2, 15, 33] {
      let blocks = (0..<20).map { b in random.positiveDefinite(d: d, condition: worst).map { scales[b % 3] * $0 } }
      checkInverse(CholeskyBatch<T>(blocks, d: d, damping: 0), condition: worst)
    }
  }

  func checkInverse<T: KernelPrecision>(_ factored: CholeskyBatch<T>, condition: Double) {
    let d = factored.d
    expect(factored.status, T.self, factored.place)
    factored.invert()
    let elements = factored.storage.elements
    let tolerance = condition * Tolerance.inverse.relative(T.precision, terms: d)
    for (b, block) in factored.blocks.enumerated() {
      let damped = Reference.damped(block, d: d, damping: factored.damping)
      let inverse = factored.batch.symmetric(b, of: elements)
      expect(
        Comparison.inverse(damped, inverse, d: d, tolerance: tolerance), T.self, "\(factored.place) block \(b): A A^-1")
      // the reference is exact to rounding of double where that is far below the tolerance
      guard condition <= 10 || T.precision == .float else { continue }
      expect(
        Comparison.normwise(inverse, Reference.inverse(damped, d: d), tolerance: tolerance), T.self,
        "\(factored.place) block \(b)")
    }
  }

  /// Two ways to the same direction.
  @Test(arguments: Target.all) func productWithTheInverseIsTheSolution(target: Target) {
    target.run { productWithTheInverseIsTheSolution($0) }
  }

  func productWithTheInverseIsTheSolution<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 54)
    for (d, m, threads) in [(5, 3, 1), (31, 20, 1), (66, 70, 2)] as [(Int, Int, Int32)] {
      let blocks = (0..<m).map { _ in random.positiveDefinite(d: d, condition: 10) }
      let v = random.normal(m * d)
      let factored = CholeskyBatch<T>(blocks, d: d, damping: 0.1, threads: threads)
      let solution = factored.solve(v)
      factored.invert()
      let product = factored.multiply(v)
      for b in 0..<m {
        let row = b * d..<(b + 1) * d
        let comparison = Comparison.normwise(
          Array(product[row]), Array(solution[row]), tolerance: 10 * Tolerance.inverse.relative(T.precision, terms: d))
        expect(comparison, type, "\(factored.place) block \(b)")
      }
    }
  }

  @Test(arguments: Target.all) func aFailedBlockBecomesZero(target: Target) {
    target.run { aFailedBlockBecomesZero($0) }
  }

  func aFailedBlockBecomesZero<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 55)
    for d in [1, 4, 5, 18, 37] {
      for pivot in [0, d / 2, d - 1] {
        for bad in [nil, Double.nan, .infinity] {
          var blocks = (0..<20).map { _ in random.positiveDefinite(d: d, condition: 10) }
          blocks[3] = random.indefinite(d: d, pivot: pivot)
          blocks[17] = random.indefinite(d: d, pivot: pivot)
          if let bad { blocks[17][pivot * d] = bad }
          let factored = CholeskyBatch<T>(blocks, d: d, damping: 0)
          expect(factored.status, is: FK_NOT_POSITIVE_DEFINITE, type, factored.place)
          factored.invert()
          let elements = factored.storage.elements
          for (b, block) in factored.blocks.enumerated() {
            let inverse = factored.batch.symmetric(b, of: elements)
            if factored.info[b] != 0 {
              expect(inverse.allSatisfy { $0 == 0 }, type, "\(factored.place) pivot \(pivot): block \(b) failed")
            } else {
              let tolerance = 10 * Tolerance.inverse.relative(T.precision, terms: d)
              expect(
                Comparison.inverse(block, inverse, d: d, tolerance: tolerance), type,
                "\(factored.place) pivot \(pivot) block \(b)")
            }
          }
          expect(factored.multiply(random.normal(20 * d))[3 * d..<4 * d].allSatisfy { $0 == 0 }, type, "a direction")
        }
      }
    }
  }

  @Test(arguments: Target.all) func multipliesSymmetricBlocks(target: Target) {
    target.run { multipliesSymmetricBlocks($0) }
  }

  func multipliesSymmetricBlocks<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 56)
    for (d, m, threads) in Self.products {
      let blocks = (0..<m).map { _ in
        let a = random.uniform(d * d)
        return (0..<d * d).map { a[$0] + a[$0 % d * d + $0 / d] }
      }
      let symmetric = SymmetricBatch<T>(blocks, d: d, threads: threads)
      let v = T.precision.round(random.normal(m * d))
      let product = symmetric.multiply(v, layout: .strided)
      expectIdentical(
        symmetric.multiply(v, layout: .strided, inPlace: true), product, type, "d \(d) m \(m) in place")
      for (b, block) in blocks.enumerated() {
        let row = b * d..<(b + 1) * d
        let expected = Reference.multiply(T.precision.round(block), Array(v[row]), d: d)
        let scale = 2 * Reference.maximumNorm(Array(v[row]))
        let comparison = Comparison.normwise(
          Array(product[row]), expected, scale: scale, tolerance: Tolerance.product.relative(T.precision, terms: d))
        expect(comparison, type, "d \(d) m \(m) threads \(threads) block \(b)")
      }
    }
  }

  static let products: [(Int, Int, Int32)] =
    ([0] + Sizes.all + [6, 10, 11, 63, 64, 65]).flatMap { d in [0, 1, 8, 15, 17].map { (d, $0, 1) } }
    + Sizes.threads.map { (66, 70, $0) }
}
