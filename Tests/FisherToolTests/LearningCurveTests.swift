import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// `Benchmarks/learning-curve.py`: from logs to a picture.
@Suite struct LearningCurveTests {
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Benchmarks/learning-curve.py").standardized.path

  @Test func aCurveForEachRun() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for (name, epochs) in [("one", 3), ("two", 1)] {
      let result = try Tool.run(
        ["train", "--optimizer", "sgd", "--epochs", "\(epochs)", "--quiet", "--log", folder.file(name)])
      #expect(result.status == 0, "\(result)")
    }
    let out = folder.file("curve.svg")
    let result = try Tool.run(
      ["--out", out, "one & <all>=\(folder.file("one"))", "two=\(folder.file("two"))"], executable: Self.script)
    #expect(result.status == 0 && result.errors == "", "\(result)")
    let curves = Curves()
    let parser = XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: out)))
    parser.delegate = curves
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    // a panel by epoch and one by second
    #expect(curves.points == [3, 1, 3, 1])
    #expect(curves.text.contains("one & <all>") && curves.text.contains("epoch"), "\(curves.text)")
  }

  @Test func whatIsNotALog() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    try "{\"epoch\":1}\n".write(toFile: folder.file("log"), atomically: true, encoding: .utf8)
    try "".write(toFile: folder.file("empty"), atomically: true, encoding: .utf8)
    for run in ["a=\(folder.file("log"))", "a=\(folder.file("none"))", "a=\(folder.file("empty"))", "log"] {
      let result = try Tool.run(["--out", folder.file("curve.svg"), run], executable: Self.script)
      #expect(result.status != 0 && result.errors.hasPrefix("learning-curve: "), "\(result)")
      #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains("expected"), "\(result)")
    }
    #expect(folder.contents.sorted() == ["empty", "log"])
  }
}

/// The points of each polyline, and all text.
private final class Curves: NSObject, XMLParserDelegate {
  var points: [Int] = []
  var text: Set<String> = []
  private var characters = ""

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    characters = ""
    if element == "polyline" { points.append(attributes["points"]!.split(separator: " ").count) }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { characters += string }

  func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
    if element == "text" { text.insert(characters) }
  }
}
