/// What a curvature will hold and take, known before anything of it is allocated.
public struct CurvatureEstimate: Equatable, Sendable {
  /// How the matrix is held, such as "projected, rank 48 of 785, 500 samples".
  public var summary: String
  public var bytes: Int
  /// A refresh with a full window, and one gradient preconditioned.
  public var refresh: Work
  public var step: Work

  public init(summary: String, bytes: Int, refresh: Work = Work(), step: Work = Work()) {
    self.summary = summary
    self.bytes = bytes
    self.refresh = refresh
    self.step = step
  }

  /// Adds what another part holds and takes.
  func adding(bytes: Int, refresh: Work = Work(), step: Work = Work()) -> CurvatureEstimate {
    var sum = self
    let (total, overflow) = sum.bytes.addingReportingOverflow(bytes)
    sum.bytes = overflow ? .max : total
    sum.refresh = sum.refresh + refresh
    sum.step = sum.step + step
    return sum
  }
}

extension CurvatureSite {
  /// Bytes of a matrix, its padding included; the largest number where they cannot be addressed.
  func bytes(_ rows: Int, _ columns: Int) -> Int { (try? Matrix<Scalar>.bytes(rows: rows, columns: columns)) ?? .max }

  /// Of the window of so many samples, and of their weights.
  func windowBytes(_ samples: Int) -> Int {
    let (sum, overflow) = bytes(samples, order).addingReportingOverflow(2 * min(bytes(samples, neurons), .max / 4))
    return overflow ? .max : sum
  }

  /// An exact inverse for inputs of some order, without its window.
  func exactEstimate(order: Int, samples: Int) -> CurvatureEstimate {
    let (m, d, n) = (Double(neurons), Double(order), Double(samples))
    if subsystem.constantNu != nil {
      return CurvatureEstimate(
        summary: "one block of order \(order)", bytes: bytes(order, order),
        refresh: Work(products: n * d * d, factors: d * d * d / 3, bytes: 3 * Double(bytes(order, order)), calls: 2),
        step: Work(solves: 2 * m * d * d, bytes: Double(bytes(order, order)), calls: 1))
    }
    if subsystem is SoftmaxLayer, SoftmaxInverse<Scalar>.fits(self, order: order) {
      let size = neurons * order
      let (s, held) = (Double(size), bytes(size, size))
      return CurvatureEstimate(
        summary: "one softmax matrix of order \(size)", bytes: held,
        refresh: Work(
          grams: n * m * (m + 1) / 2 * d * (d + 1), factors: s * s * s / 3, bytes: 3 * Double(held), calls: 2),
        step: Work(solves: 2 * s * s, bytes: Double(held), calls: 1))
    }
    let blocks = blocksEstimate(order: order, samples: samples, isInverse: inverts(order: order))
    return isSpread ? blocks.adding(bytes: blocks.bytes) : blocks
  }

  /// A block for each neuron, factors or inverses, without its window.
  func blocksEstimate(order: Int, samples: Int, isInverse: Bool = false) -> CurvatureEstimate {
    let (m, d, n) = (Double(neurons), Double(order), Double(samples))
    let held = (try? BlockBatch<Scalar>.bytes(count: neurons, order: order)) ?? .max
    return CurvatureEstimate(
      summary: "\(neurons) blocks of order \(order)", bytes: held,
      refresh: Work(
        grams: m * n * d * (d + 1), factors: m * d * d * d * (isInverse ? 1 : 1 / 3),
        bytes: 3 * Double(held), calls: 3),
      step: Work(solves: 2 * m * d * d, bytes: (isInverse ? 1 : 2) * Double(held), calls: 1))
  }
}
