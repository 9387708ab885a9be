import CKernels
import FisherKitTestSupport
import Foundation
import Testing

/// "Results do not depend on" the number of threads: to the last bit, for work large enough to be shared.
@Suite struct ThreadTests {
  @Test(arguments: Target.all) func activationIsTheSame(target: Target) { target.run { activationIsTheSame($0) } }

  func activationIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 41)
    let (n, m) = (200, 150)
    let z = GuardedMatrix<T>(random.normal(n * m), rows: n, columns: m)
    let delta = random.normal(n * m)
    for activation in [Reference.Activation.tanh, .relu(iota: 0, omega: 1)] {
      onThreads(type, "\(activation)") { threads in
        let (value, nu) = (GuardedMatrix<T>(rows: n, columns: m), GuardedMatrix<T>(rows: n, columns: m))
        let backward = GuardedMatrix<T>(delta, rows: n, columns: m)
        let argument = activation.kernelArgument
        expect(
          T.kernels.activation(value.pointer, m, nil, 0, nu.pointer, m, z.pointer, m, n, m, argument, threads), type,
          "\(activation)")
        expect(
          T.kernels.activationBackward(backward.pointer, m, z.pointer, m, n, m, argument, threads), type,
          "\(activation)")
        return value.elements + nu.elements + backward.elements
      }
    }
  }

  @Test(arguments: Target.all) func smallProductsAreTheSame(target: Target) {
    target.run { smallProductsAreTheSame($0) }
  }

  func smallProductsAreTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 46)
    for (m, n, k) in [(50, 80, 785), (80, 785, 50), (131, 67, 301), (9, 300, 300)] {
      let (a, b) = (random.normal(m * k), random.normal(k * n))
      for transposed in 0..<4 {
        let (transposeA, transposeB) = (transposed & 1 != 0, transposed & 2 != 0)
        let left = GuardedMatrix<T>(a, rows: transposeA ? k : m, columns: transposeA ? m : k)
        let right = GuardedMatrix<T>(b, rows: transposeB ? n : k, columns: transposeB ? k : n)
        // (others are BLAS's)
        if transposeB ? transposeA || k < 128 : k > 512 { continue }
        onThreads(type, "m \(m) n \(n) k \(k) A^T \(transposeA) B^T \(transposeB)") { threads in
          let c = GuardedMatrix<T>(rows: m, columns: n)
          expect(
            T.kernels.gemm(
              c.pointer, n, left.pointer, left.leadingDimension, transposeA ? 1 : 0, right.pointer,
              right.leadingDimension, transposeB ? 1 : 0, m, n, k, 0.5, 0, threads), type, "m \(m)")
          return c.elements
        }
      }
    }
  }

  /// BLAS is called on one thread; what the process had chosen for it is put back.
  @Test func theThreadsOfBLASArePutBack() throws {
    #if os(Linux)
      let getter = try #require(dlsym(nil, "openblas_get_num_threads"))
      let setter = try #require(dlsym(nil, "openblas_set_num_threads"))
      let threads = unsafeBitCast(getter, to: (@convention(c) () -> Int32).self)
      let setThreads = unsafeBitCast(setter, to: (@convention(c) (Int32) -> Void).self)
      let before = threads()
      defer { setThreads(before) }
      // tests that run beside this one call BLAS too, and put back what they found: there has to be a moment without
      let long = [Double](repeating: 1, count: 700)
      var found: Int32 = 0
      for _ in 0..<1000 where found != 2 {
        setThreads(2)
        var a = [Double](repeating: 1, count: 9)
        var c = [Double](repeating: 0, count: 9)
        // (smaller ones are ours)
        #expect(fk_dgemm(&c, 1, long, 700, 0, long, 1, 0, 1, 1, 700, 1, 0, 1) == FK_OK)
        #expect(fk_dgram(&c, 3, a, 3, 3, 3, 1, 0, 1) == FK_OK)
        #expect(fk_dcholesky(&a, 3, nil, 3, 10, 1) == FK_OK)
        #expect(fk_dcholesky_solve(&c, 3, a, 3, 3, 3, 1) == FK_OK)
        found = threads()
        if found != 2 { usleep(1000) }
      }
      #expect(found == 2)
    #endif
  }

  @Test(arguments: Target.all) func denseCholeskyIsTheSame(target: Target) {
    target.run { denseCholeskyIsTheSame($0) }
  }

  func denseCholeskyIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 65)
    for d in [190, 333] {
      let a = random.positiveDefinite(d: d, condition: 100)
      let v = random.normal(40 * d)
      for m in [1, 4, 6, 40] {
        onThreads(type, "d \(d) m \(m)") { threads in
          let factor = GuardedMatrix<T>(a, rows: d, columns: d)
          let solution = GuardedMatrix<T>(Array(v[..<(m * d)]), rows: m, columns: d)
          expect(T.kernels.cholesky(factor.pointer, d, nil, d, 0, threads), type, "d \(d)")
          expect(T.kernels.choleskySolve(solution.pointer, d, factor.pointer, d, d, m, threads), type, "d \(d) m \(m)")
          return factor.elements + solution.elements
        }
      }
    }
  }

  @Test(arguments: Target.all) func gramIsTheSame(target: Target) { target.run { gramIsTheSame($0) } }

  func gramIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    // the last is long enough for compensated sums
    for (n, d, m) in [(50, 40, 20), (700, 19, 9), (8_300, 7, 3)] {
      onThreads(type, "n \(n) d \(d) m \(m)") { threads in
        GramBatch<T>(n: n, d: d, m: m, alpha: 0.3, beta: 0.7, threads: threads).run().storage
      }
    }
  }

  @Test(arguments: Target.all) func choleskyIsTheSame(target: Target) { target.run { choleskyIsTheSame($0) } }

  func choleskyIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 42)
    let (d, m) = (60, 75)
    let blocks = (0..<m).map { _ in random.positiveDefinite(d: d) }
    let v = random.normal(m * d)
    onThreads(type, "d \(d) m \(m)") { threads in
      let factored = CholeskyBatch<T>(blocks, d: d, damping: 0.01, threads: threads)
      return factored.storage.elements + factored.solve(v)
    }
  }

  @Test(arguments: Target.all) func inverseIsTheSame(target: Target) { target.run { inverseIsTheSame($0) } }

  func inverseIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 45)
    let (d, m) = (62, 75)
    let blocks = (0..<m).map { _ in random.positiveDefinite(d: d) }
    let v = random.normal(m * d)
    onThreads(type, "inverse d \(d) m \(m)") { threads in
      let factored = CholeskyBatch<T>(blocks, d: d, damping: 0.01, threads: threads)
      factored.invert()
      return factored.storage.elements + factored.multiply(v)
    }
  }

  @Test(arguments: Target.all) func softmaxIsTheSame(target: Target) { target.run { softmaxIsTheSame($0) } }

  func softmaxIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 43)
    let (n, m) = (800, 40)
    let z = GuardedMatrix<T>(random.normal(n * m), rows: n, columns: m)
    onThreads(type, "softmax n \(n) m \(m)") { threads in
      let (eta, nu) = (GuardedMatrix<T>(rows: n, columns: m), GuardedMatrix<T>(rows: n, columns: m))
      expect(T.kernels.softmax(eta.pointer, m, nu.pointer, m, z.pointer, m, n, m, threads), type, "softmax")
      return eta.elements + nu.elements
    }
    for (n, d, m) in [(60, 21, 11), (7, 101, 11)] {
      onThreads(type, "softmax block, dense, d \(d)") { SoftmaxBlock<T>(n: n, d: d, m: m, threads: $0).dense() }
    }
  }

  @Test(arguments: Target.all) func gatheringIsTheSame(target: Target) { target.run { gatheringIsTheSame($0) } }

  func gatheringIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    let (n, width) = (700, 800)
    var random = SplitMix64(seed: 45)
    let floats = random.uniform(50 * width).map { Float($0) }
    let bytes = (0..<50 * width).map { UInt8(truncatingIfNeeded: $0 &* 97) }
    let rows = (0..<n).map { Int32($0 * 7 % 50) }
    onThreads(type, "gather") { threads in
      let (x, y) = (GuardedMatrix<T>(rows: n, columns: width + 1), GuardedMatrix<T>(rows: n, columns: width + 1))
      expect(T.kernels.gatherFloats(x.pointer, width + 1, floats, rows, n, width, 0.3, threads), type, "floats")
      expect(T.kernels.gatherBytes(y.pointer, width + 1, bytes, rows, n, width, 0.3, threads), type, "bytes")
      return x.elements + y.elements
    }
  }

  @Test(arguments: Target.all) func batchNormIsTheSame(target: Target) { target.run { batchNormIsTheSame($0) } }

  func batchNormIsTheSame<T: KernelPrecision>(_ type: T.Type) {
    onThreads(type, "batch normalisation") { threads in
      let run = BatchNormRun<T>(n: 300, m: 150, threads: threads)
      run.forward()
      let forward = run.y.elements + run.xhat.elements + run.istd.elements
      run.backward()
      run.evaluate()
      return forward + run.dy.elements + run.g.elements + run.y.elements
    }
  }

  /// What BLAS computes is exempt, but not from being the same each time.
  @Test(arguments: Target.all) func productsAreRepeatable(target: Target) { target.run { productsAreRepeatable($0) } }

  func productsAreRepeatable<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 44)
    let (m, n, k) = (150, 81, 300)
    let (a, b) = (T.narrow(random.normal(m * k)), T.narrow(random.normal(k * n)))
    let c = GuardedMatrix<T>(rows: m, columns: n)
    for threads in Sizes.threads {
      let results = (0..<5).map { _ in
        expect(T.kernels.gemm(c.pointer, n, a, k, 0, b, n, 0, m, n, k, 0.5, 0, threads), type, "gemm")
        return c.elements
      }
      for result in results { expectIdentical(result, results[0], type, "gemm again on threads \(threads)") }
    }
  }

  func onThreads<T: KernelPrecision>(_ type: T.Type, _ place: String, _ run: (Int32) -> [Double]) {
    let expected = run(1)
    for threads in [2, 3, 5, 8] as [Int32] {
      expectIdentical(run(threads), expected, type, "\(place) threads \(threads)")
    }
  }
}
