import Foundation
import Testing

/// Standard streams that are full, closed or shared.
@Suite struct StreamTests {
  private let train = "train --optimizer sgd --epochs 1"

  private func shell(_ command: String) throws -> Tool.Result {
    try Tool.run(["-c", command], executable: "/bin/sh")
  }

  #if os(Linux)
    @Test func noRoomOnTheStandardOutput() throws {
      let folder = try Scratch()
      defer { folder.remove() }
      let fisher = Tool.executable("fisher").path
      for command in ["\(fisher) \(train)", "\(fisher) --help", "\(Tool.executable("bench-fisher").path) --help"] {
        let result = try shell("\(command) >/dev/full")
        #expect(result.status == 70, "\(command): \(result)")
        #expect(result.errors.contains("standard output: expected room for"), "\(command): \(result)")
        #expect(result.errors.count { $0 == "\n" } == 1, "\(command): \(result)")
      }
      let result = try shell("\(fisher) --nonsense 2>/dev/full")
      #expect(result.status == 64, "\(result)")
    }
  #endif

  /// The log does not become the standard output.
  @Test func closedStandardOutput() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("log")
    let result = try shell("\(Tool.executable("fisher").path) \(train) --log '\(log)' >&- 2>&-")
    #expect(result.status == 0, "\(result)")
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") }, "\(lines)")
  }

  /// Both are there, whole.
  @Test func logOnTheStandardOutput() throws {
    let result = try shell("\(Tool.executable("fisher").path) \(train) --log /dev/stdout")
    #expect(result.status == 0 && result.output.contains("train loss"), "\(result)")
    let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("{") }
    #expect(lines.count == 3 && lines.allSatisfy { $0.hasSuffix("}") }, "\(result)")
    let quiet = try shell("\(Tool.executable("fisher").path) \(train) --quiet --log /dev/stdout")
    #expect(quiet.output.split(separator: "\n").count == 3, "\(quiet)")
  }

  /// Without SIGPIPE a reader that goes ends the run all the same, and in silence.
  @Test func readerThatGoes() throws {
    let result = try shell("(trap '' PIPE; \(Tool.executable("fisher").path) \(train); echo $? >&2) | head -n 1")
    #expect(result.errors == "70\n" && result.output.count { $0 == "\n" } == 1, "\(result)")
  }
}
