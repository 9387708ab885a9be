import CKernels
import FisherKitTestSupport
import Testing

@Suite struct AllFiniteTests {
  @Test(arguments: Target.all) func findsTheOneBadElementAnywhere(target: Target) {
    target.run { findsTheOneBadElementAnywhere($0) }
  }

  func findsTheOneBadElementAnywhere<T: KernelPrecision>(_ type: T.Type) {
    for (n, m) in [(1, 1), (1, 17), (3, 5), (2, 33)] {
      // the largest numbers are finite, and the NaNs between the rows do not count
      let good = (0..<n * m).map { $0 % 2 == 0 ? T.precision.greatestFinite : -T.precision.greatestFinite }
      expect(allFinite(type, good, n: n, m: m) == 1, type, "n \(n) m \(m)")
      for bad in [Double.nan, .infinity, -.infinity, .signalingNaN] {
        for place in 0..<n * m {
          var a = good
          a[place] = bad
          expect(allFinite(type, a, n: n, m: m) == 0, type, "n \(n) m \(m): \(bad) at \(place)")
        }
      }
    }
  }

  @Test(arguments: Target.all) func nothingIsFinite(target: Target) { target.run { nothingIsFinite($0) } }

  func nothingIsFinite<T: KernelPrecision>(_ type: T.Type) {
    for (n, m) in [(0, 0), (0, 3), (3, 0)] { expect(allFinite(type, [], n: n, m: m) == 1, type, "n \(n) m \(m)") }
  }

  func allFinite<T: KernelPrecision>(_ type: T.Type, _ a: [Double], n: Int, m: Int) -> Int32 {
    let matrix = GuardedMatrix<T>(a, rows: n, columns: m, layout: .strided)
    var result: Int32 = -1
    expect(T.kernels.allFinite(&result, matrix.pointer, matrix.leadingDimension, n, m), type, "n \(n) m \(m)")
    return result
  }
}
