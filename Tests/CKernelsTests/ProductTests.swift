import CKernels
import FisherKitTestSupport
import Testing

/// gemm and gram: what is ours there is the way to BLAS and the share of each thread.
@Suite struct ProductTests {
  @Test(arguments: Target.all) func gemmMatchesReference(target: Target) { target.run { gemmMatchesReference($0) } }

  func gemmMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for (m, n, k) in [(1, 1, 1), (2, 3, 4), (5, 1, 7), (1, 8, 3), (17, 9, 33), (3, 5, 0), (0, 4, 2), (4, 0, 2)] {
      for (alpha, beta) in [(1.0, 0.0), (-0.5, 1), (2, 0.25), (0, 0), (0, 2)] {
        checkGemm(type, m: m, n: n, k: k, alpha: alpha, beta: beta, threads: 1)
      }
    }
  }

  /// Rows are shared out when there are more of them than columns, else columns, in eights.
  @Test(arguments: Target.all) func gemmMatchesReferenceOnManyThreads(target: Target) {
    target.run { gemmMatchesReferenceOnManyThreads($0) }
  }

  func gemmMatchesReferenceOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    for (m, n, k) in [
      (70, 65, 120), (65, 70, 120), (130, 9, 460), (9, 130, 460), (3, 2, 90000), (1, 7, 75000), (50, 80, 785),
      (80, 33, 1500), (20, 3000, 130),
    ] {
      for threads in Sizes.threads + [0] {
        checkGemm(type, m: m, n: n, k: k, alpha: 0.5, beta: threads == 2 ? 0 : -1, threads: threads)
      }
    }
  }

  /// Inner products of long rows, few terms in a sum, and every edge that their tiles can have.
  @Test(arguments: Target.all) func smallProductsMatchReference(target: Target) {
    target.run { smallProductsMatchReference($0) }
  }

  func smallProductsMatchReference<T: KernelPrecision>(_ type: T.Type) {
    for m in Array(1...14) + [25, 49] {
      for (n, k) in [(1, 130), (3, 128), (17, 129), (33, 143), (50, 9), (70, 1), (16, 257), (31, 520)] {
        checkGemm(type, m: m, n: n, k: k, alpha: 0.5, beta: m % 2 == 0 ? 0 : -1, threads: 1)
      }
    }
  }

  func checkGemm<T: KernelPrecision>(
    _ type: T.Type, m: Int, n: Int, k: Int, alpha: Double, beta: Double, threads: Int32
  ) {
    for transposed in 0..<4 {
      let (transposeA, transposeB) = (transposed & 1 != 0, transposed & 2 != 0)
      var random = SplitMix64(seed: 27)
      let a = GuardedMatrix<T>(
        random.uniform(m * k), rows: transposeA ? k : m, columns: transposeA ? m : k, layout: .strided)
      let b = GuardedMatrix<T>(
        random.uniform(k * n), rows: transposeB ? n : k, columns: transposeB ? k : n, layout: .strided)
      // without a beta C holds NaNs, which must not matter
      let c = GuardedMatrix<T>(beta == 0 ? nil : random.uniform(m * n), rows: m, columns: n, layout: .strided)
      let expected = Reference.gemm(
        a: a.elements, transposeA: transposeA, b: b.elements, transposeB: transposeB, c: c.elements, m: m, n: n, k: k,
        alpha: alpha, beta: beta)
      let status = T.kernels.gemm(
        c.pointer, c.leadingDimension, a.pointer, a.leadingDimension, transposeA ? 1 : 0, b.pointer,
        b.leadingDimension, transposeB ? 1 : 0, m, n, k, alpha, beta, threads)
      let place =
        "gemm m \(m) n \(n) k \(k) A^T \(transposeA) B^T \(transposeB) alpha \(alpha) beta \(beta) threads \(threads)"
      expect(status, type, place)
      expectIntact([a, b, c], place)
      let comparison = Comparison.normwise(
        c.elements, expected, scale: 1, tolerance: Tolerance.product.relative(T.precision, terms: k))
      expect(comparison, type, place)
    }
  }

  @Test(arguments: Target.all) func gramMatchesReference(target: Target) { target.run { gramMatchesReference($0) } }

  func gramMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for d in Sizes.all {
      for n in [0, 1, 3, 40] {
        for (alpha, beta) in [(1.0, 0.0), (0.5, -1), (0, 0), (2, 0.25)] {
          checkGram(type, n: n, d: d, alpha: alpha, beta: beta, threads: 1)
        }
      }
    }
    checkGram(type, n: 3, d: 0, alpha: 1, beta: 0, threads: 1)
    // rows of the triangle are cut so that the areas are equal
    for (n, d) in [(130, 65), (20, 170), (60000, 3), (500000, 1)] {
      for threads in Sizes.threads { checkGram(type, n: n, d: d, alpha: 1 / Double(n), beta: 0.5, threads: threads) }
    }
  }

  func checkGram<T: KernelPrecision>(
    _ type: T.Type, n: Int, d: Int, alpha: Double, beta: Double, threads: Int32
  ) {
    var random = SplitMix64(seed: 28)
    let x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d, layout: .strided)
    let g = GuardedMatrix<T>(beta == 0 ? nil : random.uniform(d * d), rows: d, columns: d, layout: .strided)
    let before = g.elements
    let status = T.kernels.gram(
      g.pointer, g.leadingDimension, x.pointer, x.leadingDimension, n, d, alpha, beta, threads)
    let place = "gram n \(n) d \(d) alpha \(alpha) beta \(beta) threads \(threads)"
    expect(status, type, place)
    expectIntact([x, g], place)
    var expected = Reference.gram(x: x.elements, n: n, d: d, alpha: alpha)
    for i in 0..<d {
      for j in 0..<d {
        // the upper triangle stays as it was
        if j > i {
          expected[i * d + j] = before[i * d + j]
        } else if beta != 0 {
          expected[i * d + j] += beta * before[i * d + j]
        }
      }
    }
    let comparison = Comparison.normwise(
      g.elements, expected, tolerance: Tolerance.product.relative(T.precision, terms: n))
    expect(comparison, type, place)
  }
}
