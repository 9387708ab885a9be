/// The sizes of one call: n samples, d inputs of a neuron with its bias, m neurons, and the outputs above them; the side and
/// channels of images. A size a kernel has not is absent.
struct Shape: Sendable, Equatable, CustomStringConvertible {
  var d: Int?
  var m: Int?
  var n: Int?
  var outputs: Int?
  var side: Int?
  var channels: Int?

  init(
    d: Int? = nil, m: Int? = nil, n: Int? = nil, outputs: Int? = nil, side: Int? = nil, channels: Int? = nil
  ) {
    (self.d, self.m, self.n, self.outputs) = (d, m, n, outputs)
    (self.side, self.channels) = (side, channels)
  }

  var sizes: [(name: String, size: Int)] {
    let all: [(String, Int?)] = [
      ("d", d), ("m", m), ("n", n), ("outputs", outputs), ("side", side), ("channels", channels),
    ]
    return all.compactMap { name, size in size.map { (name, $0) } }
  }

  var description: String { sizes.map { "\($0.name)=\($0.size)" }.joined(separator: " ") }
}
