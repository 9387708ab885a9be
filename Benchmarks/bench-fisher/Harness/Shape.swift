/// The sizes of one call: n samples, d inputs of a neuron with its bias, m neurons, o outputs of the layer
/// above. A size a kernel has not is absent.
struct Shape: Sendable, CustomStringConvertible {
  var d: Int?
  var m: Int?
  var n: Int?
  var outputs: Int?

  init(d: Int? = nil, m: Int? = nil, n: Int? = nil, outputs: Int? = nil) {
    (self.d, self.m, self.n, self.outputs) = (d, m, n, outputs)
  }

  var description: String {
    let sizes: [(String, Int?)] = [("d", d), ("m", m), ("n", n), ("o", outputs)]
    return sizes.compactMap { name, size in size.map { "\(name)=\($0)" } }.joined(separator: " ")
  }
}
