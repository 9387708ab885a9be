import ArgumentParser
import FisherKit
import FisherKitToolSupport

@main
struct Fisher: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fisher",
    abstract: "Trains networks with relative natural gradients, and computes the Fisher matrices they use.",
    discussion: """
      Exit status: 0 for success; 64 for a wrong command line; 65 for bad data, which includes data whose Fisher matrix \
      cannot be inverted with the damping given; 70 for any other failure; 130 and 143 after SIGINT and SIGTERM.
      """,
    version: FisherKitVersion.current,
    subcommands: [
      Train.self, Predict.self, Evaluate.self, Inspect.self, Tune.self, Experiment.self, Rfim.self, Solve.self,
      Report.self,
    ])

  /// For messages.
  static let commands = configuration.subcommands.map { $0.configuration.commandName ?? "\($0)".lowercased() }

  static func main() {
    ToolProcess.run {
      do {
        try Environment.validate()
        var command = try parseAsRoot()
        try command.run()
        return 0
      } catch {
        return Failure.report(error)
      }
    }
  }

  func run() throws {
    throw ValidationError("expected a command (\(Self.commands.joined(separator: ", "))), found none")
  }
}

/// Every failure is one line on the standard error, and an exit status that scripts can rely on.
enum Failure {
  static func report(_ error: any Error) -> Int32 {
    switch error {
    case let error as DataError:
      Standard.printError(line: "\(error)")
      return ExitStatus.badData
    case let error as Interrupted:
      Standard.printError(line: "\(error)")
      return error.status
    case let error as FisherError:
      Standard.printError(line: "\(error)")
      return status(of: error)
    case let error as OptionError:
      Standard.printError(line: "\(error)")
      return error.status
    case let error as OutputError:
      Standard.printError(line: "\(error)")
      return OptionError.status(of: error)
    default:
      return reportUsage(error)
    }
  }

  private static func status(of error: FisherError) -> Int32 {
    switch error {
    // A hyper-parameter out of range came from the command line.
    case .invalidArgument, .unsupportedForm: ExitStatus.wrongCommandLine
    // These samples, with this damping.
    case .notPositiveDefinite, .inaccurate, .notConverged: ExitStatus.badData
    case .sizeOverflow, .outOfMemory, .exceedsMemoryCap, .nonFinite, .diverged: ExitStatus.failure
    }
  }

  private static func reportUsage(_ error: any Error) -> Int32 {
    let code = Fisher.exitCode(for: error)
    if code == .success {
      // --help and --version come as errors too.
      Standard.print(Fisher.fullMessage(for: error) + "\n")
      return 0
    }
    let message = Fisher.message(for: error).split(separator: "\n").joined(separator: " ")
    if code == .validationFailure {
      let first = CommandLine.arguments.dropFirst().first ?? ""
      let command = Fisher.commands.contains(first) ? "fisher \(first)" : "fisher"
      Standard.printError(line: "\(message) (see \(command) --help)")
      return ExitStatus.wrongCommandLine
    }
    Standard.printError(line: message)
    return ExitStatus.failure
  }
}
