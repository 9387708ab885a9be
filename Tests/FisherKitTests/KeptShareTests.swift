import Testing

@testable import FisherKit

/// The least rank that keeps a share of the effective dimension Σ e/(e + λ), of energies that are known.
@Suite struct KeptShareTests {
  /// 1000/1010 + 10/20 + 0.1/10.1 + 0.001/10.001 = 1.50010 for λ = 10.
  @Test(arguments: [
    (0.65, 4, 1), (0.67, 4, 2), (0.99, 4, 2), (0.995, 4, 3), (0.9999, 4, 3), (1, 4, 4), (1, 2, 2), (0.65, 1, 1),
  ])
  func leastRank(share: Double, most: Int, expected: Int) throws {
    let energies = [1000, 10, 0.1, 0.001, 0, 0]
    let subspace = try Subspace<Double>(order: 6, rank: 4, samples: 6, name: "layer")
    var inputs = try Matrix<Double>(rows: 6, columns: 6)
    for i in 0..<6 { inputs[i, i] = (6 * energies[i]).squareRoot() }
    for _ in 1...4 { subspace.update(inputs: inputs) }
    for i in 0..<4 { #expect(abs(subspace.energies[i] - energies[i]) < 1e-6 * energies[i]) }
    #expect(subspace.rank(keeping: share, against: 10, atMost: most) == expected)
  }
}
