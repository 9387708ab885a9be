import Foundation
import Testing

/// A built tool, `fisher` unless another is named, or any executable, run as a user would.
struct Tool {
  struct Result: CustomStringConvertible {
    var status: Int32
    var output: String
    var errors: String

    var description: String { "status \(status)\nstdout: \(output)\nstderr: \(errors)" }
  }

  static func run(
    _ arguments: [String], tool: String = "fisher", executable path: String? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    let process = Process()
    process.executableURL = path.map { URL(fileURLWithPath: $0) } ?? executable(tool)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let folder = try Scratch()
    defer { folder.remove() }
    let (output, errors) = (folder.file("stdout"), folder.file("stderr"))
    // Files, not pipes: nothing to fill up while we wait.
    for path in [output, errors] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.runWithSignals()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    return Result(
      status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
      errors: try String(contentsOfFile: errors, encoding: .utf8))
  }

  /// In the folder that FISHERKIT_TOOLS names, which `scripts/test` has of the optimised build, since a tool starts there in a
  /// tenth of the time; or else beside the test bundle.
  static func executable(_ name: String) -> URL {
    if let folder = ProcessInfo.processInfo.environment["FISHERKIT_TOOLS"] {
      return URL(fileURLWithPath: folder).appendingPathComponent(name)
    }
    return Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent().appendingPathComponent(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name)
  }
}

extension Process {
  /// A child begins with the signals held back that its parent's thread holds back, and the threads of tests hold back all
  /// of them: a shell would wait for ever for its own children.
  func runWithSignals() throws {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try run()
  }
}

/// A folder of its own for a test.
struct Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "fisher-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }
  var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
