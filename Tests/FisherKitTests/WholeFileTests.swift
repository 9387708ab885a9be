import FisherKit
import Foundation
import Testing

@Suite struct WholeFileTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("whole-\(UUID().uuidString)").path

  /// Under which this process writes "file".
  private let partial = "file.partial-\(getpid())"

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

  var contents: [String: String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return Dictionary(
      uniqueKeysWithValues: names.map { ($0, (try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)) ?? "?") }
    )
  }

  @Test func takesItsNameWhenItIsDone() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "older".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    let file = try WholeFile(path: "\(folder)/file")
    try file.write("one\n")
    try file.write("two\n")
    #expect(contents == ["file": "older", partial: "one\ntwo\n"])
    try file.finish()
    #expect(contents == ["file": "one\ntwo\n"])
  }

  @Test func whatIsAbandonedLeavesTheOlderFile() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "older".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    try WholeFile(path: "\(folder)/file").abandon()
    #expect(contents == ["file": "older"])
    let file = try WholeFile(path: "\(folder)/file")
    try file.write("one\n")
    file.abandon()
    #expect(contents == ["file": "older"])
    let log = try WholeFile(path: "\(folder)/file", keepsPart: true)
    try log.write("one\n")
    log.abandon()
    #expect(contents == ["file": "older", partial: "one\n"])
  }

  @Test func whatIsDiscardedLeavesNothing() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "older".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    let file = try WholeFile(path: "\(folder)/file")
    try file.write(Data("one\n".utf8))
    #expect(contents == ["file": "older", partial: "one\n"])
    file.discard()
    #expect(contents == ["file": "older"])
  }

  /// The link stays one, and what it leads to is replaced as a whole.
  @Test func followsALink() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "older".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "\(folder)/file")
    let file = try WholeFile(path: "\(folder)/link")
    try file.write("new")
    #expect(contents["link"] == "older")
    try file.finish()
    #expect(contents == ["file": "new", "link": "new"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link") == "\(folder)/file")
  }

  @Test func aLinkToNothingYetIsFollowed() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "file")
    let file = try WholeFile(path: "\(folder)/link")
    try file.write("new")
    try file.finish()
    #expect(contents == ["file": "new", "link": "new"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link") == "file")
  }

  @Test func keepsThePermissions() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "older".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/file")
    let file = try WholeFile(path: "\(folder)/file")
    try file.write("new")
    try file.finish()
    let permissions = try FileManager.default.attributesOfItem(atPath: "\(folder)/file")[.posixPermissions]
    #expect(permissions as? Int == 0o600)
  }

  @Test func twoWritersOfOneFile() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try WholeFile(path: "\(folder)/file")
    try first.write("first")
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "file")
    for name in ["file", "./file", "link"] {
      let error = failure(of: { _ = try WholeFile(path: "\(folder)/\(name)") }) as? OutputError
      #expect(error?.cause == .unusablePath && error?.found == "one that does, as \(partial)", "\(name)")
    }
    try FileManager.default.removeItem(atPath: "\(folder)/link")
    try first.finish()
    #expect(contents == ["file": "first"])
  }

  /// A device is written to, never replaced by a file.
  @Test func aDeviceStaysOne() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = try WholeFile(path: "/dev/null")
    try file.write("gone")
    try file.finish()
    let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
    #expect(type == .typeCharacterSpecial)
    #expect(!FileManager.default.fileExists(atPath: "/dev/null.partial"))
  }

  @Test func refusals() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "".write(toFile: "\(folder)/plain", atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/a", withDestinationPath: "b")
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/b", withDestinationPath: "a")
    for (path, found) in [
      (folder, "a folder"), ("\(folder)/none/file", "No such file or directory"), ("\(folder)/none/", "a folder"),
      ("", "an empty one"), ("\(folder)/plain/file", "Not a directory"), ("\(folder)/a", "Too many levels"),
      ("\(folder)/" + String(repeating: "x", count: 300), "File name too long"),
      ("/dev/none", "No such file or directory"),
    ] {
      let error = failure(of: { _ = try WholeFile(path: path) }) as? OutputError
      #expect(error?.cause == .unusablePath && error?.found.hasPrefix(found) ?? false, "\(path): \(error as Any)")
    }
    #if os(Linux)
      let full = try WholeFile(path: "/dev/full")
      let error = failure(of: { try full.write("no room") }) as? OutputError
      #expect(error?.cause == .failedWriting && error?.place == "/dev/full", "\(error as Any)")
    #endif
  }
}
