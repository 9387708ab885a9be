/// What the peer script is asked, one line of JSON for each row: the sizes, the type and threads, and how long to repeat.
struct PeerRequest: Encodable, Sendable {
  var kernel: String
  var sizes: [String: Int]
  var precision: String
  var threads: Int32
  var patience: Patience
}

/// The first line that the script writes, once it has imported PyTorch.
struct PeerGreeting: Decodable, Sendable {
  /// The version of PyTorch.
  var torch: String
  /// What it has formulations of.
  var kernels: [String]
}

/// What it answers, in one line: the median of the best formulation, its name, and the medians of all of them.
struct PeerAnswer: Decodable, Sendable {
  var seconds: Double
  var formulation: String
  var formulations: [String: Double]

  var isPossible: Bool {
    seconds.isFinite && seconds > 0 && !formulation.isEmpty && formulations.values.allSatisfy { $0.isFinite && $0 > 0 }
  }
}

/// Or that it cannot: a formulation that is wrong, memory that is not there.
struct PeerFailure: Decodable, Sendable {
  var error: String
}
