/// The sizes of one call: n samples, d inputs of a neuron with its bias, m neurons. A size a kernel has not is absent.
struct Shape: Sendable, CustomStringConvertible {
  var d: Int?
  var m: Int?
  var n: Int?

  init(d: Int? = nil, m: Int? = nil, n: Int? = nil) { (self.d, self.m, self.n) = (d, m, n) }

  var description: String {
    let sizes: [(String, Int?)] = [("d", d), ("m", m), ("n", n)]
    return sizes.compactMap { name, size in size.map { "\(name)=\($0)" } }.joined(separator: " ")
  }
}
