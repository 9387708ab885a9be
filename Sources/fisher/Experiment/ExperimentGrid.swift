/// An experiment as a user declares it: every network with every optimizer at each of its learning rates, over seeds.
/// What a run is, is said in the flags of `fisher train`, so that whatever trains can be compared.
///
///     {
///       "name": "mine",
///       "flags": "--data fashion-mnist --batch 50 --epochs 10",
///       "networks": [{"name": "plain", "flags": "--shape 784,80,80,80,10"}],
///       "optimizers": [
///         {"name": "Adam", "flags": "--optimizer adam", "learning_rates": [1e-3, 5e-4]},
///         {"name": "RNGD", "flags": "--optimizer rngd", "learning_rates": [0.02, 0.01]}
///       ],
///       "selection_seeds": 3,
///       "seeds": 10,
///       "losses": [0.4, 0.3]
///     }
struct ExperimentGrid: Codable, Equatable {
  struct Network: Codable, Equatable {
    /// Its name in reports.
    var name: String
    var flags: String

    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, flags
    }
  }

  struct Optimizer: Codable, Equatable {
    var name: String
    var flags: String
    var learningRates: [Double]

    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, flags
      case learningRates = "learning_rates"
    }
  }

  var name: String
  /// Flags of all runs.
  var flags: String
  var networks: [Network]
  var optimizers: [Optimizer]
  /// Seeds 0 ..< selectionSeeds are run at every learning rate, and choose one by validation accuracy; seeds
  /// 0 ..< seeds are run at that one. Where both are equal every rate has all seeds, as published.
  var selectionSeeds: Int
  var seeds: Int
  /// The training losses whose epochs and seconds are reported.
  var losses: [Double]

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, flags, networks, optimizers, seeds, losses
    case selectionSeeds = "selection_seeds"
  }
}
