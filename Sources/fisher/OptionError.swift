import FisherKit
import FisherKitToolSupport

/// What an option asks to be written could not be: the command line's fault where the path is of no use.
struct OptionError: Error, CustomStringConvertible {
  let description: String
  let status: Int32

  init(_ option: String, _ error: OutputError) {
    description = "\(option): \(error)"
    status = Self.status(of: error)
  }

  static func status(of error: OutputError) -> Int32 {
    error.cause == .unusablePath ? ExitStatus.wrongCommandLine : ExitStatus.failure
  }

  static func naming<Result>(_ option: String, _ body: () throws(OutputError) -> Result) throws(OptionError) -> Result {
    do {
      return try body()
    } catch {
      throw OptionError(option, error)
    }
  }
}
