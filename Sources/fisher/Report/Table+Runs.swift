/// Tables that are not of one network: what went wrong, and how all was made.
extension Study {
  var failureTable: Table? {
    if failures.isEmpty { return nil }
    return Table(
      caption: "Runs that failed, at any learning rate",
      heads: ["Network", "Optimizer", "Learning rate", "Seed", "Epochs before", "Reason"],
      rows: failures.map { run in
        [
          run.network, run.optimizer, Text.rate(run.learningRate), "\(run.seed)", "\(run.epochs.count)",
          run.failure ?? "",
        ]
      }, isWords: true, kind: "failures")
  }

  var experimentTable: Table? {
    if headers.isEmpty { return nil }
    return Table(
      caption: "Experiments: their commands, and where they ran; seconds were measured with so many runs at a time",
      heads: [
        "Experiment", "Command", "FisherKit", "System", "Processor", "Cores", "Level", "Runs at a time", "Threads",
      ],
      // (a log that was gone on with by the same command has a header for each time)
      rows: inOrder(
        headers.map { header in
          [
            header.grid.name, header.command, header.version, header.machine.system, header.machine.processor,
            "\(header.machine.cores)", header.machine.level, "\(header.jobs)", "\(header.threads)",
          ]
        }), isWords: true, kind: "experiments")
  }

  /// One run of each optimizer at its chosen rate, by which it can be made again.
  var commandTable: Table {
    let results = networks.flatMap { network in network.chosen.map(\.result) }
    return Table(
      caption: "A run of each at the chosen rate: its flags of fisher train, or its file",
      heads: ["Network", "Optimizer", "Flags", "FisherKit", "Threads", "Level"],
      rows: results.compactMap { result in
        guard let run = result.ended.first ?? result.runs.first else { return nil }
        return [
          result.network, result.optimizer, run.arguments, run.version.isEmpty ? Self.none : run.version,
          run.threads == 0 ? Self.none : "\(run.threads)", run.level.isEmpty ? Self.none : run.level,
        ]
      }, isWords: true, kind: "commands")
  }

  var closingTables: [Table] { [failureTable, eventTable, experimentTable, commandTable].compactMap { $0 } }
}
