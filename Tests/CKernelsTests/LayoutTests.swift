import CKernels
import FisherKitTestSupport
import Testing

@Suite struct LayoutTests {
  @Test(arguments: Target.all) func lanesFillACacheLine(target: Target) {
    target.run { lanesFillACacheLine($0) }
  }

  func lanesFillACacheLine<T: KernelPrecision>(_ type: T.Type) {
    #expect(T.kernels.lanes() * MemoryLayout<T>.size == 64)
    #expect(T.kernels.lanes() == T.precision.lanes)
  }

  @Test(arguments: Target.all) func countFollowsTheFormula(target: Target) {
    target.run { countFollowsTheFormula($0) }
  }

  func countFollowsTheFormula<T: KernelPrecision>(_ type: T.Type) {
    for d in [0] + Sizes.all + [785] {
      for m in [0] + Sizes.all + [80] {
        let expected = BatchMinor(d: d, count: m, precision: T.precision).elementCount
        expect(T.kernels.blockBatchCount(d, m) == expected, type, "d \(d) m \(m)")
      }
    }
  }

  @Test(arguments: Target.all) func whatCannotBeIndexedHasNoCount(target: Target) {
    target.run { whatCannotBeIndexedHasNoCount($0) }
  }

  func whatCannotBeIndexedHasNoCount<T: KernelPrecision>(_ type: T.Type) {
    let sizes: [(Int, Int)] = [
      (-1, 1), (1, -1), (.max, 1), (1, .max), (.max, .max), (.min, 1), (1, .min), (1 << 31, 16), (.max - 1, 0),
      (1 << 20, 1 << 24),
    ]
    for (d, m) in sizes { expect(T.kernels.blockBatchCount(d, m) == -1, type, "d \(d) m \(m)") }
    // what does fit is not refused
    expect(T.kernels.blockBatchCount(1, 1 << 58) == 1 << 58, type, "d 1 m 2^58")
  }
}
