/// What the factor of a coupled layer's matrix takes, of a window of so many samples: ``LowRankFactor`` or ``DenseFactor``,
/// which are made anew at a refresh, with what making them takes beside them.
///
/// A formula for each thing that is allocated there, in its order; the tests compare what is held with what was made.
struct CoupledFactorBytes<Scalar: KernelScalar> {
  let site: CurvatureSite<Scalar>
  let samples: Int
  /// The weights above a hidden layer, and their outputs' subsystem; `nil` for a softmax.
  let outer: (neurons: Int, isSoftmax: Bool)?

  /// k, the factors of a sample.
  private var rank: Int {
    guard let outer else { return max(site.neurons - 1, 0) }
    return outer.isSoftmax ? max(outer.neurons - 1, 0) : outer.neurons
  }

  /// nk
  var factors: Int {
    let (product, overflow) = samples.multipliedReportingOverflow(by: rank)
    return overflow ? .max : product
  }

  /// A ``SampledBlock`` with its covariance.
  private var block: Int {
    let (n, m) = (samples, site.neurons)
    let inputs = site.bytes(n, site.order)
    guard let outer else {
      return sum(
        ofBytes: inputs, site.bytes(n, m), Scalar._kernels.softmaxBlockMatvecWorkSize(n, m))
    }
    let above = site.bytes(n, outer.neurons)
    return sum(
      ofBytes: inputs, site.bytes(n, m), site.bytes(outer.neurons, m), above,
      Scalar._kernels.twoLayerMatvecWorkSize(n, m, outer.neurons), above,
      outer.isSoftmax ? Scalar._kernels.softmaxBlockMatvecWorkSize(n, outer.neurons) : above)
  }

  /// What a trace takes: the diagonals of the A_s, and the roots of the outputs.
  private var trace: Int {
    sum(ofBytes: site.bytes(samples, site.neurons), outer == nil ? 0 : site.bytes(samples, rank))
  }

  /// What a ``LowRankFactor`` holds.
  var lowRank: Int {
    let (vector, row) = (site.bytes(site.neurons, site.order), site.bytes(1, factors))
    return sum(
      ofBytes: block, site.bytes(factors, factors), site.bytes(samples, site.neurons), site.bytes(samples, rank), row,
      row, vector, vector)
  }

  /// The most that there is while it is made.
  var makingLowRank: Int {
    let above = outer.map { site.bytes(factors, $0.neurons) } ?? 0
    let matrices = sum(ofBytes: site.bytes(factors, factors), site.bytes(samples, samples))
    let forming = sum(ofBytes: block, site.bytes(factors, site.neurons), max(above, matrices))
    return sum(ofBytes: max(lowRank, forming, sum(ofBytes: block, trace)), panels(factors))
  }

  /// What OpenBLAS packs, in all threads together, for the product that makes a matrix of that order: 320 rows of `Float`
  /// at a time, or fewer of `Double`. (It keeps that, once for all layers: small beside the matrix itself.)
  private func panels(_ order: Int) -> Int { min(order, .max / 2048) * 1280 }

  /// The most that there is while a ``DenseFactor`` of a hidden layer is made, which holds the matrix and a row: a row of
  /// blocks beside it, with its weights in both precisions.
  var makingDense: Int {
    let (n, m, d) = (samples, site.neurons, site.order)
    let (size, overflow) = m.multipliedReportingOverflow(by: d)
    if overflow { return .max }
    let (dense, weights) = (site.bytes(size, size), site.bytes(n, m))
    let doubles = (try? Matrix<Double>.bytes(rows: n, columns: m)) ?? .max
    let blocks = sum(
      ofBytes: site.blockBytes(order: d),
      max(doubles, BlockWorkspace.bytes(Scalar.self, count: m, order: d, samples: min(n, NeuronBlocks<Scalar>.chunk))),
      site.bytes(d, d))
    return sum(ofBytes: block, dense, max(trace, sum(ofBytes: weights, weights, blocks), site.bytes(1, size)))
  }
}
