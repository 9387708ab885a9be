import CKernels
import FisherKitTestSupport
import Testing

/// Convolutions, forward and backward, and their patches against the reference.
@Suite struct ConvolutionTests {
  struct Case: Sendable {
    var window: Reference.Window
    var n: Int
    var channels: Int
    var outputs: Int
    var groups = 1
    var isOfFeatures = false
  }

  /// Every option by itself and with others, channels about a vector's width, patches beyond a product's depth.
  static let cases: [Case] = [
    Case(window: .init(5, 6, kernel: (3, 3), padding: (1, 1)), n: 2, channels: 1, outputs: 4, isOfFeatures: true),
    Case(window: .init(5, 6, kernel: (3, 3), padding: (1, 1)), n: 3, channels: 3, outputs: 17, isOfFeatures: true),
    Case(window: .init(7, 5, kernel: (3, 2)), n: 2, channels: 16, outputs: 33),
    Case(window: .init(6, 6, kernel: (2, 2), stride: (2, 2)), n: 2, channels: 5, outputs: 16),
    Case(window: .init(9, 8, kernel: (3, 3), stride: (2, 3), padding: (1, 2)), n: 2, channels: 4, outputs: 6),
    Case(window: .init(9, 9, kernel: (3, 3), padding: (2, 2), dilation: (2, 2)), n: 1, channels: 3, outputs: 5),
    Case(
      window: .init(9, 10, kernel: (2, 3), stride: (3, 2), padding: (1, 1), dilation: (3, 2)), n: 2, channels: 7,
      outputs: 9),
    Case(window: .init(1, 12, kernel: (1, 4), padding: (0, 2)), n: 3, channels: 6, outputs: 8),
    Case(window: .init(4, 4, kernel: (1, 1)), n: 2, channels: 18, outputs: 20),
    Case(window: .init(3, 3, kernel: (3, 3)), n: 4, channels: 8, outputs: 10),
    Case(window: .init(1, 1, kernel: (1, 1)), n: 3, channels: 5, outputs: 2),
    Case(window: .init(6, 5, kernel: (3, 3), padding: (1, 1)), n: 2, channels: 6, outputs: 9, groups: 3),
    Case(
      window: .init(6, 5, kernel: (3, 3), stride: (2, 1), padding: (1, 1)), n: 2, channels: 8, outputs: 8, groups: 4),
    Case(window: .init(6, 7, kernel: (3, 3), padding: (1, 1)), n: 2, channels: 19, outputs: 19, groups: 19),
    Case(
      window: .init(7, 7, kernel: (3, 3), stride: (2, 2), padding: (1, 1), dilation: (2, 2)), n: 3, channels: 4,
      outputs: 4, groups: 4),
    Case(window: .init(5, 5, kernel: (3, 3), padding: (1, 1)), n: 1, channels: 6, outputs: 12, groups: 6),
    Case(window: .init(8, 8, kernel: (3, 3), padding: (1, 1)), n: 2, channels: 40, outputs: 24),
    Case(window: .init(12, 12, kernel: (5, 5), padding: (2, 2)), n: 3, channels: 2, outputs: 3),
  ]

  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    for one in Self.cases {
      for (layout, threads) in [(GuardedMatrix<T>.Layout.packed, Int32(1)), (.strided, 3)] {
        let run = ConvolutionRun<T>(
          one.window, n: one.n, channels: one.channels, outputs: one.outputs, groups: one.groups,
          isOfFeatures: one.isOfFeatures, layout: layout, threads: threads)
        run.forward()
        run.weightGradient()
        run.inputGradient()
        check(run)
      }
    }
  }

  private func check<T: KernelPrecision>(_ run: ConvolutionRun<T>) {
    let (x, w, delta) = (run.x.elements, run.w.elements, run.delta.elements)
    let z = Reference.convolution(
      x: x, w: w, run.window, n: run.n, channels: run.channels, outputs: run.outputs, groups: run.groups)
    let (g, dx) = Reference.convolutionBackward(
      delta: delta, x: x, w: w, run.window, n: run.n, channels: run.channels, outputs: run.outputs, groups: run.groups)
    let positions = run.n * run.window.positions
    for (found, expected, terms, what) in [
      (run.z, z, run.order, "Z"), (run.g, g, positions, "G"), (run.dx, dx, run.window.taps * run.outputs, "dX"),
    ] {
      let tolerance = Tolerance.product.relative(T.precision, terms: terms)
      expect(
        Comparison.normwise(found.elements, expected, tolerance: tolerance), T.self, "\(what) of \(run.place)")
    }
    let rows = (0..<positions).filter { $0 % 3 != 1 }.reversed() as [Int]
    for group in [0, run.groups - 1] {
      var expected: [Double] = []
      for row in rows {
        expected += Reference.patch(
          x: x, run.window, channels: run.channels, groups: run.groups, row: row, group: group)
        expected.append(1)
      }
      expect(run.patches(rows, group: group).elements == expected, T.self, "patches of group \(group) of \(run.place)")
    }
  }

  /// A 1×1 kernel at one position is the product of a dense layer, and groups are convolutions of their own.
  @Test(arguments: Target.all) func structure(target: Target) { target.run { structure($0) } }

  func structure<T: KernelPrecision>(_ type: T.Type) {
    let run = ConvolutionRun<T>(.init(6, 5, kernel: (3, 3), padding: (1, 1)), n: 2, channels: 6, outputs: 9, groups: 3)
    run.forward()
    let (x, w, z) = (run.x.elements, run.w.elements, run.z.elements)
    for group in 0..<3 {
      let alone = ConvolutionRun<T>(run.window, n: 2, channels: 2, outputs: 3)
      func columns(_ numbers: [Double], rows: Int, width: Int, first: Int, count: Int) -> [Double] {
        (0..<rows).flatMap { row in (0..<count).map { numbers[row * width + first + $0] } }
      }
      alone.x.assign(columns(x, rows: 2 * run.window.area, width: 6, first: 2 * group, count: 2))
      alone.w.assign(Array(w[(3 * group * run.order)..<(3 * (group + 1) * run.order)]))
      alone.forward()
      let expected = columns(z, rows: 2 * run.window.positions, width: 9, first: 3 * group, count: 3)
      expectIdentical(alone.z.elements, expected, type, "group \(group)")
    }
  }

  /// Sums have one order, whatever the threads.
  @Test(arguments: Target.all) func threads(target: Target) { target.run { threads($0) } }

  func threads<T: KernelPrecision>(_ type: T.Type) {
    for (window, channels, outputs, groups) in [
      (Reference.Window(16, 16, kernel: (3, 3), padding: (1, 1)), 8, 24, 1),
      (Reference.Window(16, 16, kernel: (3, 3), stride: (2, 2), padding: (1, 1)), 12, 12, 3),
      (Reference.Window(16, 16, kernel: (3, 3), padding: (1, 1)), 32, 32, 32),
    ] {
      func numbers(_ threads: Int32) -> [Double] {
        let run = ConvolutionRun<T>(
          window, n: 5, channels: channels, outputs: outputs, groups: groups, threads: threads)
        run.forward()
        run.weightGradient()
        run.inputGradient()
        return run.z.elements + run.g.elements + run.dx.elements
      }
      let one = numbers(1)
      for threads in [2, 3, 7] as [Int32] { expectIdentical(numbers(threads), one, type, "\(window) on \(threads)") }
    }
  }
}
