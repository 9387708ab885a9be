import ArgumentParser
import FisherKit

/// Whether the state of a run is kept, and gone on from.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The folder for checkpoints, after each epoch; made where it is not there.", valueName: "dir"))
  var checkpoint: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Write one after every N-th step of the run too.", valueName: "N"))
  var checkpointEvery: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many of the last checkpoints are kept, beside the one with the least validation loss (default: \(CheckpointFolder.usualKeepLast)).",
      valueName: "K"))
  var checkpointKeep: Int?
  @Option(
    defaultAsFlag: newest, parsing: .next,
    help: ArgumentHelp(
      "Go on from the last checkpoint of the folder, or from this file; from the start where there is none.",
      valueName: "file"))
  var resume: String?

  /// What --resume without a file stands for; no file has that name.
  static let newest = ""

  func validate() throws {
    guard checkpoint == nil else {
      if checkpoint == "" { throw ValidationError("--checkpoint: expected a folder, found an empty name") }
      if let every = checkpointEvery, every < 1 {
        throw ValidationError("--checkpoint-every: expected 1 step or more, found \(every)")
      }
      if let keep = checkpointKeep, keep < 1 {
        throw ValidationError("--checkpoint-keep: expected 1 checkpoint or more, found \(keep)")
      }
      return
    }
    for (flag, isGiven) in [
      ("--checkpoint-every", checkpointEvery != nil), ("--checkpoint-keep", checkpointKeep != nil),
      ("--resume", resume != nil),
    ] where isGiven {
      throw ValidationError("\(flag): expected --checkpoint with the folder, found none")
    }
  }

  /// The folder as a run has it; `nil` where none is asked for.
  func open() throws -> RunCheckpoints? {
    try checkpoint.map {
      try RunCheckpoints(
        path: $0, every: checkpointEvery, keep: checkpointKeep ?? CheckpointFolder.usualKeepLast, resume: resume)
    }
  }
}
