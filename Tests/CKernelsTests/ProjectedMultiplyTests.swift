import CKernels
import FisherKitTestSupport
import Testing

/// Directions in a subspace and outside of it, against plain loops.
@Suite struct ProjectedMultiplyTests {
  static let shapes: [(d: Int, r: Int, m: Int, threads: Int32)] =
    [1, 2, 5, 7, 8, 15, 16, 17, 31, 33, 81, 130].flatMap { d in
      [1, 3, 4, 16].filter { $0 <= d }.flatMap { r in [1, 4, 17].map { (d, r, $0, 1) } }
    } + [(785, 32, 80, 1), (785, 64, 17, 2), (300, 270, 33, 2), (81, 32, 5, 8)]

  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 91)
    for (d, r, m, threads) in Self.shapes {
      let place = "d \(d) r \(r) m \(m) threads \(threads)"
      let blocks = (0..<m).map { _ in
        let a = random.uniform(r * r)
        return (0..<r * r).map { a[$0] + a[$0 % r * r + $0 / r] }
      }
      let batch = BatchMinor(d: r, count: m, precision: T.precision)
      let a = GuardedMatrix<T>(batch.pack(blocks), rows: 1, columns: batch.elementCount, layout: .strided)
      let u = GuardedMatrix<T>(random.normal(r * d), rows: r, columns: d, layout: .strided)
      let g = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
      let outside = random.uniform(m)
      let before = g.elements
      var results: [[Double]] = []
      for team in Set([threads, 1, 2, 3]).sorted() {
        let own = GuardedMatrix<T>(before, rows: m, columns: d, layout: .strided)
        let (inside, room) = (
          GuardedMatrix<T>(rows: m, columns: r, layout: .strided),
          GuardedMatrix<T>(rows: m, columns: r, layout: .strided)
        )
        let work = WorkSpace(T.kernels.symmetricBatchMultiplyWorkSize(r, m, team))
        let status = T.kernels.projectedMultiply(
          own.pointer, own.leadingDimension, inside.pointer, inside.leadingDimension, room.pointer,
          room.leadingDimension, u.pointer, u.leadingDimension, a.pointer, outside, d, r, m, work.pointer, work.size,
          team)
        expect(status, type, place)
        expectIntact([own, inside, room, u, a], place)
        expect(work.isIntact, type, "\(place): written past the work space")
        results.append(own.elements)
      }
      for other in results.dropFirst() { expectIdentical(other, results[0], type, "\(place): other threads") }
      let (basis, rounded) = (u.elements, blocks.map { T.precision.round($0) })
      for i in 0..<m {
        let row = Array(before[i * d..<(i + 1) * d])
        let inner = (0..<r).map { k in (0..<d).reduce(0) { $0 + basis[k * d + $1] * row[$1] } }
        let turned = Reference.multiply(rounded[i], inner, d: r)
        let o = T.precision.round([outside[i]])[0]
        let expected = (0..<d).map { j in
          o * row[j] + (0..<r).reduce(0) { $0 + (turned[$1] - o * inner[$1]) * basis[$1 * d + j] }
        }
        // (what the sums may come to without cancelling)
        let sizes = (0..<r).map { k in (0..<d).reduce(0) { $0 + abs(basis[k * d + $1] * row[$1]) } }
        let most = sizes.max() ?? 0
        let scale = Double(r) * (2 * Double(r) + 1) * most * 3 + Reference.maximumNorm(row)
        let comparison = Comparison.normwise(
          Array(results[0][i * d..<(i + 1) * d]), expected, scale: scale,
          tolerance: Tolerance.product.relative(T.precision, terms: d))
        expect(comparison, type, "\(place) row \(i)")
      }
    }
  }
}

extension ArgumentTests {
  @Test(arguments: Target.all) func projectedRefuses(target: Target) { target.run { projectedRefuses($0) } }

  func projectedRefuses<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let blocks = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(2, 2))
    let work = WorkSpace(T.kernels.symmetricBatchMultiplyWorkSize(2, 2, 1))
    let (p, outside) = (memory.pointer, [1.0, 1])
    func multiply(
      d: Int = 3, r: Int = 2, m: Int = 2, ld: [Int] = [4, 4, 4, 4], missing: Int? = nil, size: Int? = nil
    ) -> fk_status {
      T.kernels.projectedMultiply(
        missing == 0 ? nil : p, ld[0], missing == 1 ? nil : p, ld[1], missing == 2 ? nil : p, ld[2],
        missing == 3 ? nil : p, ld[3], missing == 4 ? nil : blocks.pointer, missing == 5 ? nil : outside, d, r, m,
        missing == 6 ? nil : work.pointer, size ?? work.size, 1)
    }
    var calls: [Call] = [
      ("projected: d negative", FK_INVALID_ARGUMENT, multiply(d: -1)),
      ("projected: r negative", FK_INVALID_ARGUMENT, multiply(r: -1)),
      ("projected: m negative", FK_INVALID_ARGUMENT, multiply(m: -1)),
      ("projected: work too small", FK_INVALID_ARGUMENT, multiply(size: work.size - 1)),
      ("projected: m too large", FK_SIZE_OVERFLOW, multiply(m: .max)),
    ]
    for index in 0..<7 {
      calls.append(("projected: argument \(index) NULL", FK_INVALID_ARGUMENT, multiply(missing: index)))
    }
    for index in 0..<4 {
      var ld = [4, 4, 4, 4]
      ld[index] = 1
      calls.append(("projected: leading dimension \(index)", FK_INVALID_ARGUMENT, multiply(ld: ld)))
    }
    expectRefused(type, calls)
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }
}
