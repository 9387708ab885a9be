import Foundation
import Testing

/// The lines of a run's log.
struct LogLines {
  private let objects: [[String: Any]]

  init(path: String) throws {
    objects = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// The numbers of epochs and of the end, the shares of bound steps left out.
  var numbers: [[String: Double]] {
    objects.filter { $0["event"] == nil && $0["kind"] == nil }.map {
      $0.compactMapValues { ($0 as? NSNumber)?.doubleValue }
    }
  }

  /// The first line.
  var header: [String: Any] { objects.first ?? [:] }

  /// The shares of steps that the trust region made shorter, epoch by epoch.
  var bounds: [[String: Double]] { objects.compactMap { $0["bound"] as? [String: Double] } }

  /// What was survived, such as "raised damping".
  var events: [String] { objects.compactMap { $0["event"] as? String } }
}
