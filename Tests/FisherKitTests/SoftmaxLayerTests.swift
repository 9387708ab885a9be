import FisherKit
import TestSupport
import Testing

/// The softmax layer's matrix (eq 10), through the Swift API.
@Suite struct SoftmaxLayerTests {
  @Test(arguments: [(1, 1, 1), (6, 4, 3), (9, 5, 10)])
  func denseAndProduct(n: Int, d: Int, m: Int) throws {
    var generator = SplitMix64(seed: 2)
    let x = generator.samples(n: n, d: d)
    let z = generator.normal(n * m)
    let v = generator.normal(m * d)
    let block = try SoftmaxBlock<Double>(
      inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
    #expect(block.classes == m && block.order == d)
    let eta = Reference.softmax(z: z, n: n, m: m).eta
    let expected = Reference.softmaxBlock(x: x, eta: eta, n: n, d: d, m: m, alpha: 1 / Double(n))
    let dense = try block.dense()
    #expect(Comparison.normwise(dense.numbers, expected, scale: 1e-3, tolerance: 1e-13).isAllowed)

    var product = try Matrix<Double>(rows: m, columns: d)
    block.multiply(&product, try .make(v, rows: m, columns: d))
    let byDefinition = (0..<(m * d)).map { i in (0..<(m * d)).reduce(0.0) { $0 + expected[i * m * d + $1] * v[$1] } }
    #expect(Comparison.normwise(product.numbers, byDefinition, scale: 1e-3, tolerance: 1e-12).isAllowed)
  }

  @Test func nuIsTheDiagonal() throws {
    var generator = SplitMix64(seed: 2)
    let z = generator.normal(6 * 4)
    var nu = try Matrix<Double>(rows: 6, columns: 4)
    SoftmaxLayer().nu(&nu, preactivations: try .make(z, rows: 6, columns: 4))
    let expected = Reference.softmax(z: z, n: 6, m: 4).nu
    #expect(Comparison.elementwise(nu.numbers, expected, tolerance: 1e-13).isAllowed)
  }
}
