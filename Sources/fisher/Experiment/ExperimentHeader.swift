import FisherKit

/// The first line of an experiment's log: what was asked for, by which command, and on what. A log that was gone on with
/// by another command has a line for that too.
struct ExperimentHeader: Codable, Equatable {
  struct Machine: Codable, Equatable {
    var system: String
    var processor: String
    var cores: Int
    /// The CPU's instructions that were in force.
    var level: String
  }

  var kind = "experiment"
  var grid: ExperimentGrid
  /// The command line, and the version of FisherKit.
  var command: String
  var version: String
  var machine: Machine
  /// Runs at a time, and threads of each.
  var jobs: Int
  var threads: Int
  /// The machine's speeds by which the metric `auto` plans; the same for all runs.
  var costs: MachineCosts
}
