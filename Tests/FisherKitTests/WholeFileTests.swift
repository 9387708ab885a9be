import FisherKit
import Foundation
import Testing

@Suite struct WholeFileTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("whole-\(UUID().uuidString)").path

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
    #expect(contents == ["file": "older", "file.partial": "one\ntwo\n"])
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
    #expect(contents == ["file": "older", "file.partial": "one\n"])
  }

  @Test func whatIsDiscardedLeavesNothing() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "older".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    let file = try WholeFile(path: "\(folder)/file")
    try file.write(Data("one\n".utf8))
    #expect(contents == ["file": "older", "file.partial": "one\n"])
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
    #expect(
      throws: DataError("\(folder)/file.partial", expected: "a file that no other run writes", found: "one that does")
    ) {
      try WholeFile(path: "\(folder)/file")
    }
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
    #expect(throws: DataError(folder, expected: "a file name", found: "a folder")) { try WholeFile(path: folder) }
    #expect(throws: DataError.self) { try WholeFile(path: "\(folder)/none/file") }
    #expect(throws: DataError.self) { try WholeFile(path: "\(folder)/none/") }
    #expect(throws: DataError.self) { try WholeFile(path: "") }
    #if os(Linux)
      let full = try WholeFile(path: "/dev/full")
      #expect(throws: DataError.self) { try full.write("no room") }
    #endif
  }
}
