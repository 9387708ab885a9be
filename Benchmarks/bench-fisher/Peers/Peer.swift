import FisherKit
import Foundation

/// PyTorch in a process of its own, which times the same work between our rows.
///
/// Neither side may spin while the other is timed: OpenMP's workers do for a while after a parallel region (libomp's for
/// 0.2 s), so there is a pause before each question and after each answer, and whoever waits sleeps in a read.
final class Peer {
  let greeting: PeerGreeting
  private let process: Process
  private let questions: FileHandle
  private let answers: FileHandle
  private let complaints: FileHandle
  private let reader: LineReader
  private let limit: Double

  static let pause = 0.3

  /// Where the script is in the sources that this tool was built from.
  static var defaultScript: String {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return sources.deletingLastPathComponent().appendingPathComponent("peers/torch_kernels.py").path
  }

  /// - Parameters:
  ///   - python: the path of an interpreter that has torch; `limit`: seconds that an answer may take.
  init(python: String, script: String, limit: Double) throws {
    self.limit = limit
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [script]
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
    do {
      try process.run()
    } catch {
      throw BenchError.peer("expected \(python) to run, found: \(error.localizedDescription)")
    }
    (questions, answers, complaints) =
      (input.fileHandleForWriting, output.fileHandleForReading, errors.fileHandleForReading)
    reader = LineReader(output: answers.fileDescriptor, errors: complaints.fileDescriptor)
    do {
      greeting = try Self.answer(reader, process, limit: limit, to: "the start of \(script)")
    } catch {
      Self.end(process)
      throw error
    }
  }

  /// Nil for a kernel that the script has no formulation of.
  func time(_ request: PeerRequest, named row: String) throws -> PeerAnswer? {
    guard greeting.kernels.contains(request.kernel) else { return nil }
    Thread.sleep(forTimeInterval: Self.pause)
    try ask(request)
    let answer: PeerAnswer = try Self.answer(reader, process, limit: limit, to: row)
    guard answer.isPossible else {
      throw BenchError.peer("\(row): expected seconds above 0 and the name of a formulation, found \(answer)")
    }
    Thread.sleep(forTimeInterval: Self.pause)
    return answer
  }

  /// The script ends with its standard input.
  func close() {
    try? questions.close()
    for _ in 0..<100 where process.isRunning { Thread.sleep(forTimeInterval: 0.02) }
    Self.end(process)
  }

  private func ask(_ request: PeerRequest) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let line = try encoder.encode(request) + Data("\n".utf8)
    // A script that is dead shows when its answer is awaited.
    let handler = signal(SIGPIPE, SIG_IGN)
    defer { signal(SIGPIPE, handler) }
    try? questions.write(contentsOf: line)
  }

  private static func answer<T: Decodable>(
    _ reader: LineReader, _ process: Process, limit: Double, to row: String
  ) throws -> T {
    switch reader.next(within: limit) {
    case .late:
      end(process)
      throw BenchError.peer("\(row): expected an answer within \(fixed(limit, 1)) s, found none")
    case .ended:
      end(process)
      let reason = reader.lastComplaint.map { ": \($0)" } ?? " without a word"
      throw BenchError.peer("\(row): expected an answer, found that the script ended\(reason)")
    case .line(let line):
      let decoder = JSONDecoder()
      if let failure = try? decoder.decode(PeerFailure.self, from: Data(line.utf8)) {
        throw BenchError.peer("\(row): \(failure.error)")
      }
      guard let answer = try? decoder.decode(T.self, from: Data(line.utf8)) else {
        throw BenchError.peer("\(row): expected an answer in JSON, found \(line.prefix(200))")
      }
      return answer
    }
  }

  /// Without waiting for it: Foundation would wait for whatever the script started, too.
  private static func end(_ process: Process) {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }
}
