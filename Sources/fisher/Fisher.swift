import ArgumentParser
import FisherKit
import Foundation

@main
struct Fisher: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fisher",
    abstract: "Trains networks with relative natural gradients.",
    discussion: """
      Exit status: 0 for success; 64 for a wrong command line; 65 for bad data, which includes data whose Fisher matrix \
      cannot be inverted with the damping given; 70 for any other failure.
      """,
    version: "0.1.0",
    subcommands: [Train.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Foundation.exit(Failure.report(error))
    }
  }
}

/// Every failure is one line on the standard error, and an exit status that scripts can rely on.
enum Failure {
  static let wrongCommandLine: Int32 = 64
  static let badData: Int32 = 65
  static let internalFailure: Int32 = 70

  static func report(_ error: any Error) -> Int32 {
    switch error {
    case let error as DataError:
      print(line: "\(error)")
      return badData
    case let error as FisherError:
      print(line: "\(error)")
      return status(of: error)
    case let error as LogError:
      print(line: "\(error)")
      return error.status
    default:
      return reportUsage(error)
    }
  }

  private static func status(of error: FisherError) -> Int32 {
    switch error {
    // A hyper-parameter out of range came from the command line.
    case .invalidArgument: wrongCommandLine
    // These samples, with this damping.
    case .notPositiveDefinite: badData
    case .sizeOverflow, .outOfMemory, .nonFinite: internalFailure
    }
  }

  private static func reportUsage(_ error: any Error) -> Int32 {
    let code = Fisher.exitCode(for: error)
    if code == .success {
      // --help and --version come as errors too.
      Swift.print(Fisher.fullMessage(for: error))
      return 0
    }
    let message = Fisher.message(for: error).replacing("\n", with: " ")
    if code == .validationFailure {
      print(line: "\(message) (see fisher train --help)")
      return wrongCommandLine
    }
    print(line: message)
    return internalFailure
  }

  static func print(line: String) {
    FileHandle.standardError.write(Data("fisher: \(line)\n".utf8))
  }
}
