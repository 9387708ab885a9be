/// What a curvature will hold and take, known before anything of it is allocated.
public struct CurvatureEstimate: Equatable, Sendable {
  /// How the matrix is held, such as "projected, rank 48 of 785, 500 samples".
  public var summary: String
  /// The memory that it holds, with the most that a refresh makes beside it: ``Curvature/bytes`` once it is made.
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
    var all = self
    all.bytes = sum(ofBytes: all.bytes, bytes)
    all.refresh = all.refresh + refresh
    all.step = all.step + step
    return all
  }
}

extension CurvatureSite {
  /// Bytes of a matrix, its padding included; the largest number where they cannot be addressed.
  func bytes(_ rows: Int, _ columns: Int) -> Int { (try? Matrix<Scalar>.bytes(rows: rows, columns: columns)) ?? .max }

  /// Bytes of a block for each neuron.
  func blockBytes(order: Int) -> Int { (try? BlockBatch<Scalar>.bytes(count: neurons, order: order)) ?? .max }

  /// Of the window of so many samples, and of their weights.
  func windowBytes(_ samples: Int) -> Int {
    let above = site.neuronsAbove.map { sum(ofBytes: bytes(samples, $0), bytes($0, neurons + 1)) } ?? 0
    return sum(ofBytes: bytes(samples, inputColumns), bytes(samples, neurons), bytes(samples, neurons), above)
  }

  /// An exact inverse for inputs of some order, without its window.
  func exactEstimate(order: Int, samples: Int) -> CurvatureEstimate {
    let (m, d, n) = (Double(neurons), Double(order), Double(samples))
    switch subsystem.form {
    case .shared:
      let read = Double(bytes(order, order))
      return CurvatureEstimate(
        summary: "one block of order \(order)", bytes: DenseFactors<Scalar>.bytes(for: self, order: order),
        refresh: Work(products: n * d * d, factors: d * d * d / 3, bytes: 3 * read, calls: 2),
        step: Work(solves: 2 * m * d * d, bytes: read, calls: 1))
    case .softmax where SoftmaxInverse<Scalar>.fits(self, order: order):
      let size = neurons * order
      let (s, read) = (Double(size), Double(bytes(size, size)))
      return CurvatureEstimate(
        summary: "one softmax matrix of order \(size)",
        bytes: SoftmaxInverse<Scalar>.bytes(for: self, order: order, samples: samples),
        refresh: Work(grams: n * m * (m + 1) / 2 * d * (d + 1), factors: s * s * s / 3, bytes: 3 * read, calls: 2),
        step: Work(solves: 2 * s * s, bytes: read, calls: 1))
    case .coupled(let coupling):
      let size = neurons * order
      let (s, k, read) = (Double(size), Double(coupling.rank(neurons: neurons)), Double(bytes(size, size)))
      return CurvatureEstimate(
        summary: "one coupled matrix of order \(size)",
        bytes: CoupledInverse<Scalar>.bytes(for: self, coupling: coupling, order: order, samples: samples),
        refresh: Work(
          products: 4 * n * m * m * k, grams: n * m * (m + 1) / 2 * d * (d + 1), factors: s * s * s / 3,
          bytes: 3 * read,
          calls: 2 * m),
        step: Work(solves: 2 * s * s, bytes: read, calls: 1))
    case .neurons, .softmax, .channels, .windows, .twoLayers:
      return blocksEstimate(order: order, samples: samples, isInverse: inverts(order: order))
    }
  }

  /// A block for each neuron, factors or inverses, without its window.
  func blocksEstimate(order: Int, samples: Int, isInverse: Bool = false) -> CurvatureEstimate {
    let (m, d, n, read) = (Double(neurons), Double(order), Double(samples), Double(blockBytes(order: order)))
    return CurvatureEstimate(
      summary: "\(neurons) blocks of order \(order)",
      bytes: NeuronFactors<Scalar>.bytes(for: self, order: order, samples: samples),
      refresh: Work(
        grams: m * n * d * (d + 1), factors: m * d * d * d * (isInverse ? 1 : 1 / 3), bytes: 3 * read, calls: 3),
      step: Work(solves: 2 * m * d * d, bytes: (isInverse ? 1 : 2) * read, calls: 1))
  }
}
