import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Image folders as archives, broken downloads and transfers leave them.
@Suite struct ImageFolderPlaceTests {
  /// What follows gzip data is padding of tapes, or of no interest.
  @Test func readsPaddedGzip() throws {
    for padding in [Array(repeating: 0, count: 512), Array("\nsome text\n".utf8)] as [[UInt8]] {
      let set = try ImageSet(gzip: true)
      defer { set.remove() }
      let path = set.path(of: .trainImages, gzip: true)
      try Data(try set.read(.trainImages, gzip: true) + padding).write(to: URL(fileURLWithPath: path))
      #expect(try ImageFolder.load(path: set.path).training.count == 200)
    }
  }

  /// A file that went through a transfer as text, and one that was packed twice.
  @Test func damagedOnTheWay() throws {
    let set = try ImageSet()
    defer { set.remove() }
    let bytes = Array(try set.read(.trainImages).prefix(16)) + (0..<2880).map { UInt8(truncatingIfNeeded: $0) }
    let longer = bytes.flatMap { $0 == 10 ? [13, 10] : [$0] }
    try set.write(.trainImages, longer)
    let path = set.path(of: .trainImages)
    let text = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(text?.place == path && text?.found.contains("more behind them (a carriage return") == true, "\(text!)")
    try set.write(.trainImages, bytes + [0])
    let other = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(other?.found == "1 more behind them")
    try set.write(.trainImages, IDXFile.gzip(IDXFile.gzip(bytes)))
    let twice = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(twice?.found == "first bytes 31 139, gzip data inside gzip data")
  }

  /// Where the files may be beside their usual places, and which of several is read.
  @Test func places() throws {
    let files = FileManager.default
    func check(_ what: String, gzip: Bool, _ change: (ImageSet) throws -> Void) throws {
      let set = try ImageSet(gzip: gzip)
      defer { set.remove() }
      try change(set)
      let error = failure(of: { _ = try ImageFolder.load(path: set.path) })
      #expect(error == nil, "\(what), gzip \(gzip): \(String(describing: error))")
    }
    for file in ImageSet.File.allCases {
      try check("a folder beside the file", gzip: true) {
        try files.createDirectory(atPath: $0.path(of: file), withIntermediateDirectories: true)
      }
      try check("an empty file beside the file", gzip: true) { try $0.write(file, []) }
      for gzip in [false, true] {
        try check("a dotted name", gzip: gzip) {
          let path = $0.path(of: file, gzip: gzip)
          try files.moveItem(atPath: path, toPath: path.replacingOccurrences(of: "-idx", with: ".idx"))
        }
      }
      try check("a folder around the file", gzip: false) {
        let path = $0.path(of: file)
        try files.moveItem(atPath: path, toPath: path + "-")
        try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        try files.moveItem(atPath: path + "-", toPath: "\(path)/\(file.rawValue)")
      }
    }
    let set = try ImageSet(gzip: true)
    defer { set.remove() }
    try set.write(.testLabels, IDXFile.bytes(dimensions: [61], elements: [1]))
    let error = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(error?.found.hasPrefix("only 1 (\(set.path(of: .testLabels, gzip: true)) is there too") == true)
  }

  /// A file as large as its header says, which no memory holds.
  @Test func tooLarge() throws {
    let set = try ImageSet()
    defer { set.remove() }
    let path = set.path(of: .trainImages)
    try set.write(.trainImages, IDXFile.bytes(dimensions: [1 << 24, 1 << 10, 1 << 11], elements: []))
    // (there is nothing in it; where files cannot be so large, there is nothing to test)
    guard truncate(path, off_t(16 + 1 << 45)) == 0 else { return }
    let error = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(error?.description == "\(path): expected no more than fits the memory, found 35184372088832 bytes to hold")
  }

  /// The line that says that a file is missing says what is there.
  @Test func nearMisses() throws {
    let files = FileManager.default
    let set = try ImageSet()
    defer { set.remove() }
    let outer = set.path + "-outer"
    defer { try? files.removeItem(atPath: outer) }
    try files.createDirectory(atPath: outer + "/MNIST", withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: outer + "/MNIST/raw", withDestinationPath: set.path)
    let below = failure(of: { _ = try ImageFolder.load(path: outer) }) as? DataError
    #expect(below?.found == "neither (\(outer)/MNIST/raw has it)")
    try files.moveItem(atPath: set.path(of: .testImages), toPath: set.path + "/Test-Images.zip")
    let alike = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(alike?.found == "neither, but Test-Images.zip")
    // to open a pipe would be to wait for its other end
    mkfifo(set.path(of: .testImages), 0o600)
    let pipe = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(pipe?.found == "a pipe or a device")
  }
}
