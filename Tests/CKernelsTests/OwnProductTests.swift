import CKernels
import FisherKitTestSupport
import Testing

/// Large products on the route of our own kernels: what the reference says, at every edge, and the same bits whatever the
/// number of threads.
@Suite struct OwnProductTests {
  private let products = ProductTests()

  /// Both transposed and inner sizes from 128 are never small: every edge of a tile, a strip and a panel.
  @Test(arguments: Target.all) func edges(target: Target) {
    target.run { type in
      withRoute(FK_PRODUCTS_OWN) {
        for m in Array(1...14) + [25, 95, 97] {
          for (n, k) in [(1, 128), (3, 129), (17, 257), (33, 143), (65, 300), (1, 520)] {
            products.checkGemm(type, m: m, n: n, k: k, alpha: 0.5, beta: m % 2 == 0 ? 0 : -1, threads: 1)
          }
        }
      }
    }
  }

  /// What is large in each combination of transposes, columns shared out and rows, several panels and pieces.
  @Test(arguments: Target.all) func shapes(target: Target) {
    target.run { type in
      withRoute(FK_PRODUCTS_OWN) {
        for (m, n, k) in [
          (3, 1_100, 250), (13, 530, 1_030), (530, 13, 1_030), (200, 35, 1_100), (61, 259, 1_025), (300, 300, 140),
        ] {
          for threads in Sizes.threads + [7, 0] {
            products.checkGemm(
              type, m: m, n: n, k: k, alpha: -0.5, beta: threads == 2 ? 0 : 0.25, threads: threads)
          }
        }
      }
    }
  }

  @Test(arguments: Target.all) func nothing(target: Target) {
    target.run { type in
      withRoute(FK_PRODUCTS_OWN) {
        for (m, n, k) in [(0, 700, 700), (700, 0, 700), (70, 70, 0), (1, 1, 0)] {
          products.checkGemm(type, m: m, n: n, k: k, alpha: 0.5, beta: 2, threads: 2)
          products.checkGemm(type, m: m, n: n, k: k, alpha: 0.5, beta: 0, threads: 2)
        }
      }
    }
  }

  @Test(arguments: Target.all) func grams(target: Target) {
    target.run { type in
      withRoute(FK_PRODUCTS_OWN) {
        products.gramMatchesReference(type)
        for (n, d) in [(300, 257), (40, 610), (1, 97)] {
          for threads in Sizes.threads + [7] {
            products.checkGram(type, n: n, d: d, alpha: 0.5, beta: threads == 2 ? 0 : -1, threads: threads)
          }
        }
      }
    }
  }

  @Test(arguments: Target.all) func longSums(target: Target) {
    target.run { type in
      withRoute(FK_PRODUCTS_OWN) {
        let accumulation = AccumulationTests()
        accumulation.productsOfAMillionSamples(type)
        accumulation.longProductsMatchTheReference(type)
        accumulation.longGramMatchesTheReference(type)
      }
    }
  }

  /// Unlike BLAS's: each element is one sum in one order.
  @Test(arguments: Target.all) func threadsMakeNoDifference(target: Target) {
    target.run { type in withRoute(FK_PRODUCTS_OWN) { threadsMakeNoDifference(type) } }
  }

  func threadsMakeNoDifference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 71)
    for (m, n, k) in [(301, 37, 1_100), (90, 310, 1_100), (133, 133, 260)] {
      let (a, b, start) = (random.normal(m * k), random.normal(k * n), random.normal(m * n))
      for transposed in 0..<4 {
        let (transposeA, transposeB) = (transposed & 1 != 0, transposed & 2 != 0)
        let left = GuardedMatrix<T>(a, rows: transposeA ? k : m, columns: transposeA ? m : k)
        let right = GuardedMatrix<T>(b, rows: transposeB ? n : k, columns: transposeB ? k : n)
        compare(type, "gemm m \(m) n \(n) k \(k) A^T \(transposeA) B^T \(transposeB)") { threads in
          let c = GuardedMatrix<T>(start, rows: m, columns: n)
          expect(
            T.kernels.gemm(
              c.pointer, n, left.pointer, left.leadingDimension, transposeA ? 1 : 0, right.pointer,
              right.leadingDimension, transposeB ? 1 : 0, m, n, k, 0.7, 0.3, threads), type, "m \(m)")
          return c.elements
        }
      }
      let x = GuardedMatrix<T>(b, rows: k, columns: n)
      let before = random.normal(n * n)
      compare(type, "gram n \(k) d \(n)") { threads in
        let g = GuardedMatrix<T>(before, rows: n, columns: n)
        expect(T.kernels.gram(g.pointer, n, x.pointer, n, k, n, 0.7, 0.3, threads), type, "d \(n)")
        return g.elements
      }
    }
  }

  private func compare<T: KernelPrecision>(_ type: T.Type, _ place: String, _ run: (Int32) -> [Double]) {
    let expected = run(1)
    for threads in [2, 3, 5, 8] as [Int32] {
      expectIdentical(run(threads), expected, type, "\(place) threads \(threads)")
    }
  }
}

/// Calls `body` with large products on a route, which is selected for this thread.
func withRoute(_ route: fk_product_route, _ body: () throws -> Void) rethrows {
  #expect(fk_product_route_select(route) == FK_OK)
  defer { fk_product_route_select(FK_PRODUCTS_AUTO) }
  try body()
}
