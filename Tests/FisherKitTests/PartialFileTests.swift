import FisherKit
import Foundation
import Testing

/// What lies beside a file under the names that are ours while it is written: never followed, never in the way.
@Suite final class PartialFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("part-\(UUID().uuidString)").path
  private let manager = FileManager.default
  private var file: String { "\(folder)/file" }
  private var own: String { "\(file).partial-\(getpid())" }

  init() throws { try manager.createDirectory(atPath: folder, withIntermediateDirectories: true) }

  deinit { try? manager.removeItem(atPath: folder) }

  private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private func writeOne() throws {
    let one = try WholeFile(path: file)
    try one.write("one\n")
    try one.finish()
    #expect(text(file) == "one\n")
  }

  /// Whatever has the name that we would take: it stays, and what it leads to is not touched.
  @Test(arguments: ["symbolic link", "link to nothing", "hard link", "pipe", "folder"])
  func whatIsThereIsLeftAlone(kind: String) throws {
    let victim = "\(folder)/victim"
    try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
    for name in ["\(file).partial", own, own + "1"] {
      switch kind {
      case "symbolic link": try manager.createSymbolicLink(atPath: name, withDestinationPath: victim)
      case "link to nothing": try manager.createSymbolicLink(atPath: name, withDestinationPath: "nothing")
      case "hard link": try manager.linkItem(atPath: victim, toPath: name)
      case "pipe": #expect(mkfifo(name, 0o600) == 0)
      default: try manager.createDirectory(atPath: name, withIntermediateDirectories: true)
      }
    }
    let before = try manager.contentsOfDirectory(atPath: folder).sorted()
    try writeOne()
    #expect(text(victim) == "precious")
    #expect(try manager.contentsOfDirectory(atPath: folder).sorted() == (["file"] + before).sorted())
  }

  /// What dead runs left goes, whichever they were; what is not ours stays.
  @Test func deadRuns() throws {
    let others = ["file.partial", "file.partial-", "file.partial-x1", "file2.partial-1", "other.partial-1"]
    for name in others + ["file.partial-1", "file.partial-99999999", "file.partial-\(getpid())"] {
      try "left".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    try writeOne()
    #expect(try manager.contentsOfDirectory(atPath: folder).sorted() == (["file"] + others).sorted())
  }

  /// A live run of any number is found by its lock.
  @Test func aLiveRun() throws {
    let other = "\(file).partial-1"
    let descriptor = open(other, O_WRONLY | O_CREAT, 0o644)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX) == 0)
    let error = failure(of: { _ = try WholeFile(path: self.file) }) as? OutputError
    #expect(error?.found == "one that does, as file.partial-1")
    #expect(try manager.contentsOfDirectory(atPath: folder) == ["file.partial-1"])
  }

  /// A file that somebody writes in place is not replaced, neither at the start nor at the end.
  @Test func anOlderFileThatIsBeingWritten() throws {
    let one = try WholeFile(path: file)
    try one.write("one")
    let descriptor = open(file, O_WRONLY | O_CREAT, 0o644)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX) == 0)
    #expect(throws: OutputError.self) { try one.finish() }
    #expect(text(file) == "")
    one.discard()
    #expect(throws: OutputError.self) { try WholeFile(path: self.file) }
    #expect(try manager.contentsOfDirectory(atPath: folder) == ["file"])
    let own = try WholeFile(path: file, ownsOlder: true)
    try own.write("own")
    try own.finish()
    #expect(text(file) == "own")
  }

  /// Of many that begin at once one has the file at a time.
  @Test func manyAtOnce() async throws {
    let (file, writers) = (file, Writers())
    for _ in 0..<20 {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            guard let one = try? WholeFile(path: file) else { return }
            writers.change(by: 1)
            usleep(2000)
            writers.change(by: -1)
            try? one.finish()
          }
        }
      }
      #expect(try manager.contentsOfDirectory(atPath: folder) == ["file"])
    }
    #expect(writers.most == 1)
  }

  private final class Writers: @unchecked Sendable {
    private let lock = NSLock()
    private var now = 0
    private(set) var most = 0

    func change(by count: Int) {
      lock.withLock {
        now += count
        most = max(most, now)
      }
    }
  }

  @Test func aChainOfLinksToNothingYet() throws {
    try manager.createSymbolicLink(atPath: "\(folder)/a", withDestinationPath: "b")
    try manager.createSymbolicLink(atPath: "\(folder)/b", withDestinationPath: "\(folder)/file")
    let one = try WholeFile(path: "\(folder)/a")
    try one.write("one")
    try one.finish()
    #expect(text(file) == "one")
    #expect(try manager.destinationOfSymbolicLink(atPath: "\(folder)/a") == "b")
    #expect(try manager.destinationOfSymbolicLink(atPath: "\(folder)/b") == file)
  }
}
