import CKernels
import FisherKitTestSupport
import Testing

/// The rate of arithmetic is of arithmetic that was done: each element is what so many rounds make of it.
@Suite struct MultiplyAddTests {
  /// Counts, exactly: x + 1 + 1 + …
  @Test(arguments: Target.all) func everyRoundCounts(target: Target) { target.run { everyRoundCounts($0) } }

  func everyRoundCounts<T: KernelPrecision>(_ type: T.Type) {
    for threads in Sizes.threads {
      for rounds in [0, 1, 2, 1_000, 100_001] {
        let count = T.kernels.multiplyAddWidth() * Int(threads)
        let x = GuardedMatrix<T>((0..<count).map { Double($0) }, rows: 1, columns: count)
        expect(T.kernels.multiplyAdd(x.pointer, count, rounds, 1, 1, threads), type, "\(rounds)")
        expectIdentical(
          x.elements, (0..<count).map { Double($0 + rounds) }, type, "rounds \(rounds) threads \(threads)")
        expectIntact([x], "rounds \(rounds)")
      }
    }
  }

  /// Rounded as the level's instructions do it: once in a fused one, twice where there is none.
  @Test(arguments: Target.all) func roundings(target: Target) {
    target.run { type in
      #if arch(x86_64)
        roundings(type, isFused: target.level > 0)
      #else
        roundings(type, isFused: true)
      #endif
    }
  }

  func roundings<T: KernelPrecision>(_ type: T.Type, isFused: Bool) {
    let count = T.kernels.multiplyAddWidth()
    var random = SplitMix64(seed: 72)
    let start = random.normal(count)
    let x = GuardedMatrix<T>(start, rows: 1, columns: count)
    expect(T.kernels.multiplyAdd(x.pointer, count, 50, 0.9, 0.3, 1), type, "50 rounds")
    let (factor, term) = (T(0.9), T(0.3))
    let expected = T.narrow(start).map { first in
      (0..<50).reduce(first) { sum, _ in isFused ? term.addingProduct(sum, factor) : sum * factor + term }
    }
    expectIdentical(x.elements, T.widen(expected), type, "50 rounds")
  }

  @Test(arguments: Target.all) func arguments(target: Target) { target.run { arguments($0) } }

  func arguments<T: KernelPrecision>(_ type: T.Type) {
    let count = T.kernels.multiplyAddWidth()
    let x = GuardedMatrix<T>([Double](repeating: 3, count: count), rows: 1, columns: count)
    for (pointer, count, rounds, threads) in [
      (nil, count, 1, 1), (x.pointer, count - 1, 1, 1), (x.pointer, count, -1, 1), (x.pointer, count, 1, 2),
    ] as [(UnsafeMutablePointer<T>?, Int, Int, Int32)] {
      #expect(T.kernels.multiplyAdd(pointer, count, rounds, 1, 1, threads) == FK_INVALID_ARGUMENT)
    }
    #expect(x.elements.allSatisfy { $0 == 3 })
  }
}
