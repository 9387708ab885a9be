import CKernels
import FisherKitTestSupport
import Testing

@Suite struct SoftmaxBlockTests {
  @Test(arguments: Target.all) func denseMatchesReference(target: Target) { target.run { denseMatchesReference($0) } }

  func denseMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for (d, m) in [(1, 1), (1, 2), (2, 1), (3, 4), (5, 3), (4, 10), (9, 7), (2, 17), (17, 3), (6, 13)] {
      for n in [1, 2, 30] { checkDense(SoftmaxBlock<T>(n: n, d: d, m: m, alpha: 1 / Double(n))) }
    }
    // work for several threads
    for threads in Sizes.threads {
      checkDense(SoftmaxBlock<T>(n: 60, d: 20, m: 12, alpha: -0.5, threads: threads))
    }
    // around the 64 columns of a task and the 256 or 128 samples of a product, all columns of a square and one past it
    for d in [31, 32, 33, 47, 48, 49, 63, 64, 65, 81, 128, 130] {
      checkDense(SoftmaxBlock<T>(n: 5, d: d, m: 2, threads: 2, layout: d % 2 == 0 ? .packed : .strided))
    }
    for n in [127, 128, 129, 255, 256, 257, 600] { checkDense(SoftmaxBlock<T>(n: n, d: 18, m: 3)) }
  }

  func checkDense<T: KernelPrecision>(_ block: SoftmaxBlock<T>) {
    let dense = block.dense()
    let expected = Reference.softmaxBlock(
      x: block.x.elements, eta: block.eta.elements, n: block.n, d: block.d, m: block.m, alpha: block.alpha)
    let comparison = Comparison.normwise(dense, expected, scale: block.scale / 4, tolerance: block.tolerance)
    expect(comparison, T.self, block.place)
    let order = block.m * block.d
    let isSymmetric = (0..<order).allSatisfy { i in
      (0..<i).allSatisfy { dense[i * order + $0] == dense[$0 * order + i] }
    }
    expect(isSymmetric, T.self, "\(block.place): not symmetric")
    expect(block.dense(onlyLower: true) == dense, T.self, "\(block.place): the lower triangle alone is another one")
  }

  @Test(arguments: Target.all) func matvecMatchesReference(target: Target) { target.run { matvecMatchesReference($0) } }

  func matvecMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for d in [1, 2, 7, 16, 33] {
      for m in Sizes.all + [10] {
        for n in [1, 3, 20] { checkMatvec(SoftmaxBlock<T>(n: n, d: d, m: m, alpha: 1 / Double(n))) }
      }
    }
    for threads in Sizes.threads {
      for (n, d, m) in [(3100, 5, 41), (600, 90, 10)] {
        checkMatvec(SoftmaxBlock<T>(n: n, d: d, m: m, alpha: -0.5, threads: threads))
      }
    }
  }

  func checkMatvec<T: KernelPrecision>(_ block: SoftmaxBlock<T>) {
    var random = SplitMix64(seed: 25)
    let v = T.precision.round(random.uniform(block.m * block.d))
    let expected = Reference.softmaxBlockMatvec(
      x: block.x.elements, eta: block.eta.elements, v: v, n: block.n, d: block.d, m: block.m, alpha: block.alpha)
    let comparison = Comparison.normwise(
      block.times(v), expected, scale: block.scale / 4, tolerance: block.tolerance)
    expect(comparison, T.self, block.place)
  }

  /// The benchmark's reference for sizes at which the definition takes too long.
  @Test func referenceByProductsMatchesTheDefinition() {
    for (n, d, m) in [(1, 1, 1), (3, 4, 2), (7, 9, 10), (20, 3, 17)] {
      let block = SoftmaxBlock<Double>(n: n, d: d, m: m)
      var random = SplitMix64(seed: 24)
      let v = random.uniform(m * d)
      let definition = Reference.softmaxBlockMatvec(
        x: block.x.elements, eta: block.eta.elements, v: v, n: n, d: d, m: m, alpha: 0.3)
      let products = Reference.softmaxBlockMatvecByProducts(
        x: block.x.elements, eta: block.eta.elements, v: v, n: n, d: d, m: m, alpha: 0.3)
      let comparison = Comparison.normwise(products, definition, scale: block.scale, tolerance: block.tolerance)
      expect(comparison, Double.self, block.place)
    }
  }

  /// Two ways to the same matrix: each column of the dense block is its product with a unit vector.
  @Test(arguments: Target.all) func columnsAreProductsWithUnitVectors(target: Target) {
    target.run { columnsAreProductsWithUnitVectors($0) }
  }

  func columnsAreProductsWithUnitVectors<T: KernelPrecision>(_ type: T.Type) {
    let block = SoftmaxBlock<T>(n: 25, d: 6, m: 5, alpha: 0.04)
    let order = 30
    let dense = block.dense()
    for column in 0..<order {
      var unit = [Double](repeating: 0, count: order)
      unit[column] = 1
      let comparison = Comparison.normwise(
        block.times(unit), (0..<order).map { dense[$0 * order + column] }, scale: block.scale / 4,
        tolerance: block.tolerance)
      expect(comparison, type, "column \(column)")
    }
  }

  /// Shifting all w_i by one vector changes no probability: such V are the null space.
  @Test(arguments: Target.all) func aShiftOfAllNeuronsIsInTheNullSpace(target: Target) {
    target.run { aShiftOfAllNeuronsIsInTheNullSpace($0) }
  }

  func aShiftOfAllNeuronsIsInTheNullSpace<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 26)
    for (n, d, m) in [(1, 3, 2), (40, 9, 10), (7, 17, 33)] {
      let block = SoftmaxBlock<T>(n: n, d: d, m: m)
      let shift = random.uniform(d)
      let v = (0..<m).flatMap { _ in shift }
      let comparison = Comparison.normwise(
        block.times(v), [Double](repeating: 0, count: m * d), scale: block.scale, tolerance: block.tolerance)
      expect(comparison, type, block.place)
    }
  }

  /// Where the network is sure, the block is small but not noise: eta near 1 is handled by the sum of the others.
  @Test(arguments: Target.all) func aSureNetworkHasASmallExactBlock(target: Target) {
    target.run { aSureNetworkHasASmallExactBlock($0) }
  }

  func aSureNetworkHasASmallExactBlock<T: KernelPrecision>(_ type: T.Type) {
    for gap in [5.0, 10, 20, 30] {
      let exact = Reference.softmax(z: [gap, 0, -1], n: 1, m: 3)
      let x = GuardedMatrix<T>([2, 1], rows: 1, columns: 2)
      let eta = GuardedMatrix<T>(exact.eta, rows: 1, columns: 3)
      let g = GuardedMatrix<T>(rows: 6, columns: 6)
      let work = WorkSpace(T.kernels.softmaxBlockDenseWorkSize(1, 2, 3, 1))
      let status = T.kernels.softmaxBlockDense(
        g.pointer, 6, x.pointer, 2, eta.pointer, 3, 1, 2, 3, 1, work.pointer, work.size, 1)
      expect(status, type, "gap \(gap)")
      let dense = g.elements
      for i in 0..<3 {
        let comparison = Comparison.elementwise(
          [dense[(2 * i) * 6 + 2 * i]], [4 * exact.nu[i]], tolerance: Tolerance.softmaxBlock.relative(T.precision))
        expect(comparison, type, "gap \(gap) class \(i)")
      }
    }
  }

  /// The product keeps its relative accuracy where one class is all but certain, whatever the size of V x~.
  @Test(arguments: Target.all) func productsOfASureNetworkAreExact(target: Target) {
    target.run { productsOfASureNetworkAreExact($0) }
  }

  func productsOfASureNetworkAreExact<T: KernelPrecision>(_ type: T.Type) {
    for m in [3, 17, 40] {
      for gap in [10.0, 20, 30] {
        // one sample, x~ = 1: Z = V, and R = S
        let logits = (0..<m).map { $0 == m / 2 ? gap : -Double($0) / Double(m) }
        let eta = GuardedMatrix<T>(Reference.softmax(z: logits, n: 1, m: m).eta, rows: 1, columns: m)
        let v = GuardedMatrix<T>((0..<m).map { Double(1000 + 7 * $0 % 11) }, rows: m, columns: 1)
        let x = GuardedMatrix<T>([1], rows: 1, columns: 1)
        let r = GuardedMatrix<T>(rows: m, columns: 1)
        let work = WorkSpace(T.kernels.softmaxBlockMatvecWorkSize(1, m))
        let status = T.kernels.softmaxBlockMatvec(
          r.pointer, 1, x.pointer, 1, eta.pointer, m, v.pointer, 1, 1, 1, m, 1, work.pointer, work.size, 1)
        expect(status, type, "m \(m) gap \(gap)")
        let (eta64, v64) = (eta.elements, v.elements)
        let expected = (0..<m).map { i in eta64[i] * (0..<m).reduce(0) { $0 + eta64[$1] * (v64[i] - v64[$1]) } }
        // each term relative to itself: a sum of terms of one sign loses nothing
        let scales = (0..<m).map { i in eta64[i] * (0..<m).reduce(0) { $0 + eta64[$1] * abs(v64[i] - v64[$1]) } }
        let comparison = Comparison.elementwise(
          r.elements, expected, scales: scales, tolerance: Tolerance.softmaxBlock.relative(T.precision))
        expect(comparison, type, "m \(m) gap \(gap)")
      }
    }
  }

  @Test(arguments: Target.all) func noSamplesNoClassesNoInputs(target: Target) {
    target.run { noSamplesNoClassesNoInputs($0) }
  }

  func noSamplesNoClassesNoInputs<T: KernelPrecision>(_ type: T.Type) {
    for (n, d, m) in [(0, 3, 4), (2, 0, 4), (2, 3, 0)] {
      let block = SoftmaxBlock<T>(n: n, d: d, m: m)
      expect(block.dense().allSatisfy { $0 == 0 }, type, "dense \(block.place)")
      let v = [Double](repeating: 1, count: m * d)
      expect(block.times(v).allSatisfy { $0 == 0 }, type, "matvec \(block.place)")
    }
  }
}
