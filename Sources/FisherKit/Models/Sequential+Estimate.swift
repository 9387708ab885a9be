extension Sequential {
  /// The bytes that ``perceptron(shape:activation:metricActivation:batchNormalization:batchCapacity:seed:)`` takes:
  /// weights and gradients (outputs × (inputs + 1)), and for each sample a layer's pre-activations, its outputs with the
  /// bias column, and their gradients; batch normalisation has as many of these again.
  /// - Throws: ``FisherError/sizeOverflow(what:)`` where no number holds them.
  static func perceptronBytes(
    shape: [Int], hasBatchNormalization: Bool, batchCapacity: Int
  ) throws(FisherError) -> Int {
    var total = 0
    var isTooLarge = false
    func add(_ factors: Int...) {
      var product = MemoryLayout<Scalar>.stride
      for factor in factors {
        let (next, overflow) = product.multipliedReportingOverflow(by: factor)
        isTooLarge = isTooLarge || overflow
        product = overflow ? 0 : next
      }
      let (sum, overflow) = total.addingReportingOverflow(product)
      isTooLarge = isTooLarge || overflow
      total = overflow ? 0 : sum
    }
    guard shape.allSatisfy({ $0 < Int.max / 4 }) else { throw .sizeOverflow(what: name(of: shape)) }
    add(batchCapacity, shape[0] + 1)
    for (index, (inputs, outputs)) in zip(shape, shape.dropFirst()).enumerated() {
      add(2, outputs, inputs + 1)
      let isNormalized = hasBatchNormalization && index < shape.count - 2
      add(isNormalized ? 2 : 1, batchCapacity, 3 * outputs + 1)
    }
    guard !isTooLarge else { throw .sizeOverflow(what: name(of: shape)) }
    return total
  }

  /// Refuses a network that all of memory does not hold, before any of it is allocated.
  /// - Throws: ``FisherError/exceedsMemoryCap(what:bytes:cap:instead:)`` with what is needed and what there is.
  package static func requireMemory(
    shape: [Int], hasBatchNormalization: Bool, batchCapacity: Int
  ) throws(FisherError) {
    let needed = try perceptronBytes(
      shape: shape, hasBatchNormalization: hasBatchNormalization, batchCapacity: batchCapacity)
    guard let available = availableMemory(), needed > available else { return }
    throw .exceedsMemoryCap(
      what: name(of: shape), bytes: needed, cap: available, instead: "narrower layers or a smaller batch take less")
  }

  private static func name(of shape: [Int]) -> String {
    "network \(shape.map(String.init).joined(separator: "-"))"
  }
}
