/// The diagonals of blocks, and single blocks. Loops are compiled for both precisions.
extension BlockBatch {
  /// Where element (0, 0) of a block is, and how far the elements of its packed triangle are apart.
  private func place(of block: Int) -> (first: UnsafeMutablePointer<Scalar>, lanes: Int) {
    demand(block >= 0 && block < count, "block \(block) is outside of \(count)")
    let lanes = Self.lanes
    return (storage.base + block / lanes * (order * (order + 1) / 2) * lanes + block % lanes, lanes)
  }

  /// traces[i] = tr G_i for some blocks i, in double precision.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func traces(of blocks: Range<Int>, into traces: inout [Double]) {
    demand(traces.count >= blocks.upperBound, "expected room for \(blocks.upperBound) traces, found \(traces.count)")
    for block in blocks {
      let (first, lanes) = place(of: block)
      var (sum, element) = (0.0, first)
      for i in 0..<order {
        sum += Double(element.pointee)
        element += (i + 2) * lanes
      }
      traces[block] = sum
    }
  }

  /// G_i += λ_i I for some blocks i: a damping for each neuron.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func addToDiagonals(_ lambdas: [Double], of blocks: Range<Int>) {
    demand(lambdas.count >= blocks.upperBound, "expected \(blocks.upperBound) dampings, found \(lambdas.count)")
    for block in blocks {
      let (first, lanes) = place(of: block)
      var element = first
      let lambda = Scalar(lambdas[block])
      for i in 0..<order {
        element.pointee += lambda
        element += (i + 2) * lanes
      }
    }
  }

  /// Takes one block of `other`, which may be of another precision.
  mutating func copyBlock(_ block: Int, from other: borrowing BlockBatch<some KernelScalar>, _ source: Int) {
    demand(order == other.order, "blocks of another order")
    for i in 0..<order {
      for j in 0...i { self[block, i, j] = Scalar(other[source, i, j]) }
    }
  }

  /// Takes `scale` times some blocks of `other`, whole groups of lanes.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func copy(from other: borrowing BlockBatch, blocks: Range<Int>, scale: Double) {
    demand(count == other.count && order == other.order, "blocks of another shape")
    let lanes = Self.lanes
    demand(blocks.lowerBound % lanes == 0 && blocks.upperBound <= count, "expected whole groups of blocks")
    let size = order * (order + 1) / 2 * lanes
    let (first, last) = (blocks.lowerBound / lanes * size, (blocks.upperBound + lanes - 1) / lanes * size)
    let scale = Scalar(scale)
    for i in first..<last { storage.base[i] = scale * other.storage.base[i] }
  }

  /// Every element times `factor`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func scale(by factor: Double) {
    // (a pointer of its own: ThreadSanitizer's instrumentation crashes the compiler without)
    let elements = storage.base
    for i in 0..<storage.count { elements[i] *= Scalar(factor) }
  }

  /// Makes a block diagonal, with these elements.
  mutating func setDiagonal(_ block: Int, _ elements: [Double]) {
    for i in 0..<order {
      for j in 0..<i { self[block, i, j] = 0 }
      self[block, i, i] = Scalar(elements[i])
    }
  }
}
