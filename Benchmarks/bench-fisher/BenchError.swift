import FisherKit

/// Why a run ends with status 70.
enum BenchError: Error, CustomStringConvertible {
  case kernel(String, Int32)
  case wrong(rows: Int, of: Int)
  case peer(String)
  case report(option: String, OutputError)

  var description: String {
    switch self {
    case .kernel(let name, let status): "\(name): expected status 0, found \(status)"
    case .wrong(let rows, let all): "expected all \(all) rows to be right, found \(rows) wrong"
    case .peer(let reason): "--peer: \(reason)"
    case .report(let option, let error): "\(option): \(error)"
    }
  }
}
