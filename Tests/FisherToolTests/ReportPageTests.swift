import Foundation
import Testing

@testable import FisherKitTool

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What `fisher report` writes.
@Suite struct ReportPageTests {
  private func write(_ arguments: [String] = []) throws -> (folder: Scratch, page: String) {
    let folder = try Scratch()
    let out = folder.file("report.html")
    let result = try Tool.run(["report", try ReportLog.write(folder), "--out", out] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(result)")
    return (folder, try String(contentsOfFile: out, encoding: .utf8))
  }

  @Test func page() throws {
    let (folder, page) = try write()
    defer { folder.remove() }
    #expect(page.hasPrefix("<!DOCTYPE html>") && !page.contains("http") && !page.contains("url("))
    #expect(!page.contains("src=") && page.contains("href=\"data:,\"") && page.contains("class=\"skip\""))
    #expect(page.contains("prefers-color-scheme: dark") && page.contains("@media print"))
    // Scripts are no XML; all else is.
    let outline = Outline()
    let body = page.replacing(try Regex("(?s)<script.*?</script>"), with: "")
    let parser = XMLParser(data: Data(body.utf8))
    parser.delegate = outline
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") in line \(parser.lineNumber)")
    // two networks with five panels each
    #expect(outline.count["svg.whole"] == 10 && outline.count["svg.plot"] == 10 && outline.images == 10)
    #expect(outline.count["title"] == 11 && outline.count["desc"] == 10)
    #expect(outline.count["table"] == outline.count["caption"] && outline.headsWithoutScope == 0)
    #expect(Set(outline.ids).count == outline.ids.count)
    // of every panel of the plain network a mean for each optimizer and all nine runs
    let plain = try #require(page.split(separator: "<section").first { $0.contains("<h2 id=\"heading-0\">plain</h2>") })
    #expect(plain.split(separator: "class=\"run ").count - 1 == 9 * 5)
    #expect(plain.split(separator: "<polyline class=\"mean ").count - 1 == 3 * 5)
    for words in ["avx2", "A processor", "fisher experiment small.json", "found NaN", "1.2.3"] {
      #expect(page.contains(words), "\(words)")
    }
  }

  /// The numbers behind the figures are those of the log, and cannot end their script element.
  @Test func numbers() throws {
    let (folder, page) = try write()
    defer { folder.remove() }
    let start = try #require(page.range(of: "id=\"runs\">"))
    let end = try #require(page.range(of: "</script>", range: start.upperBound..<page.endIndex))
    let object = try JSONSerialization.jsonObject(with: Data(page[start.upperBound..<end.lowerBound].utf8))
    let networks = try #require((object as? [String: Any])?["networks"] as? [[String: Any]])
    #expect(networks.map { $0["network"] as? String } == ["plain", "gated | </script>"])
    let optimizers = try #require(networks[0]["optimizers"] as? [[String: Any]])
    let runs = try #require(optimizers[1]["runs"] as? [[String: Any]])
    let epochs = try #require(runs[2]["epochs"] as? [[String: Any]])
    let rate = try #require(optimizers[1]["learning_rate"] as? Double)
    let run = try #require(
      ReportLog.runs.first {
        $0.network == "plain" && $0.optimizer.hasPrefix("Adam") && $0.seed == 2 && $0.learningRate == rate
      })
    #expect(epochs.count == run.epochs.count)
    for (found, expected) in zip(epochs, run.epochs) {
      #expect(try abs(#require(found["train_loss"] as? Double) - expected.trainLoss) < 1e-12)
    }
  }

  /// Every number of the results table, worked out again from the log's lines alone.
  @Test func results() throws {
    let (folder, page) = try write()
    defer { folder.remove() }
    let lines = try String(contentsOfFile: folder.file("small.jsonl"), encoding: .utf8).split(separator: "\n")
      .dropFirst()
    let runs = try lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    let tables = page.components(separatedBy: "<table class=\"results\">").dropFirst()
    #expect(tables.count == 2)
    for (table, network) in zip(tables, ["plain", "gated | </script>"]) {
      let body = try #require(table.components(separatedBy: "<tbody>")[1].components(separatedBy: "</tbody>").first)
      let rows = body.split(separator: "\n").filter { $0.hasPrefix("<tr>") }.map { row in
        row.replacing(try! Regex("<tr>|</tr>|</t[hd]>$"), with: "").components(separatedBy: "</td><td>")
      }
      #expect(rows.count == 3)
      for (row, optimizer) in zip(rows, ["RNGD", "Adam <b> & \"co\"", "SGD"]) {
        // 0.01 is the worse rate in every seed of the formula but for its failures, so that it is chosen nowhere else
        let chosen = runs.filter {
          $0["network"] as? String == network && $0["optimizer"] as? String == optimizer
            && $0["learning_rate"] as? Double == 0.01
        }
        let ended = chosen.filter { $0["failure"] == nil }
        func last(_ key: String) -> [Double] {
          ended.map { (($0["epochs"] as! [[String: Any]]).last![key] as! NSNumber).doubleValue }
        }
        let expected = [
          "\(chosen.count)", "\(chosen.count - ended.count)", text(last("train_loss"), "", 1, 4),
          text(last("train_error"), " %", 100, 2), text(last("validation_accuracy"), " %", 100, 2),
          text(ended.map { ($0["test_accuracy"] as! NSNumber).doubleValue }, " %", 100, 2),
        ]
        let cells = Array(row.dropFirst().prefix(6))
        #expect(cells == expected, "\(network) \(optimizer)")
      }
    }
  }

  private func text(_ values: [Double], _ unit: String, _ scale: Double, _ digits: Int) -> String {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + pow($1 - mean, 2) }
    func f(_ value: Double) -> String { String(format: "%.\(digits)f", scale * value) }
    let deviation = (squares / Double(values.count - 1)).squareRoot()
    return "\(f(mean)) ± \(f(deviation))\(unit)<br />\(f(values.min()!)) to \(f(values.max()!))\(unit)"
  }

  @Test func figuresForPapers() throws {
    let place = try Scratch()
    let figures = place.file("figures")
    let (folder, _) = try write(["--svg-dir", figures])
    defer {
      folder.remove()
      place.remove()
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: figures).sorted()
    #expect(
      names == [
        "figure-1-plain-epochs.svg", "figure-1-plain-seconds.svg", "figure-2-gated-script-epochs.svg",
        "figure-2-gated-script-seconds.svg",
      ])
    for name in names {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(figures)/\(name)"))
      let outline = Outline()
      let parser = XMLParser(data: data)
      parser.delegate = outline
      #expect(parser.parse(), "\(name)")
      #expect(outline.count["svg.plot"] == (name.hasSuffix("epochs.svg") ? 4 : 1) && outline.images == 1)
      let text = String(decoding: data, as: UTF8.self)
      #expect(text.components(separatedBy: "http").count == 2 && !text.contains("var(") && text.contains("#FFFFFF"))
    }
  }

  @Test func csv() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(["report", try ReportLog.write(folder), "--format", "csv"])
    #expect(result.status == 0 && result.errors.isEmpty)
    let rows = result.output.components(separatedBy: "\r\n")
    // a row an epoch: 36 runs, two of which ended after 2 of 8 epochs; the head, and nothing after the last end
    #expect(rows.count == 34 * 8 + 2 * 2 + 2 && rows.last == "")
    #expect(rows[0].hasPrefix("network,optimizer,learning_rate,seed,") && rows[0].hasSuffix(",failure"))
    let first = ReportLog.runs[0]
    #expect(
      rows[1].hasPrefix("plain,RNGD,0.01,0,true,'\(first.arguments),1.2.3,4,avx2,1,200,\(first.epochs[0].seconds),"))
    #expect(rows[1].contains("\"[{\"\"measured\"\":") && rows[1].contains("\(first.epochs[0].trainLoss)"))
    #expect(result.output.contains("\"Adam <b> & \"\"co\"\"\""))
    #expect(result.output.contains("\"step 437: expected a finite loss, found NaN; \"\"so, it ended\"\"\""))
  }

  @Test func markdown() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(["report", try ReportLog.write(folder), "--format", "markdown"])
    #expect(result.status == 0 && result.errors.isEmpty)
    for words in [
      "## plain\n", "Lowest final training loss: RNGD",
      "RNGD leads in final training loss, test accuracy and time to 0.3, and is behind in time to 0.4 (Adam \\<b>",
      "| RNGD | 0.01 | 3 | 0 |",
      "Adam \\<b> \\& \"co\"", "RNGD − SGD", "| SGD | 0.01 | 3 | 1 |", "gated \\| \\</script>: ", "\\* (at the edge",
      "1 of 3 runs of SGD at its chosen rate failed", "step 437", "| RNGD | layer 2 | 1.50 |",
      "| RNGD | layer 1 | 65 | 31.0 |", "| RNGD | 3 | 2 of 3 |",
    ] { #expect(result.output.contains(words), "\(words)") }
    // every row of a table has the cells of its head
    for table in result.output.components(separatedBy: "\n\n") where table.hasPrefix("|") {
      let bars = table.split(separator: "\n").map { $0.replacing("\\|", with: "").count { $0 == "|" } }
      #expect(Set(bars).count == 1, "\(table)")
    }
  }

  /// A log that is not finished says so.
  @Test func unfinished() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for (left, words) in [
      (0, ""), (1, "Not finished: 1 more run of the grid is to come."), (2, ": 2 more runs of the"),
    ] {
      let text = try ReportLog.line(ReportLog.header) + ReportLog.runs.dropLast(left).map(ReportLog.line).joined()
      try text.write(toFile: folder.file("log.jsonl"), atomically: true, encoding: .utf8)
      let result = try Tool.run(["report", folder.file("log.jsonl"), "--format", "markdown"])
      #expect(result.status == 0)
      #expect(left == 0 ? !result.output.contains("Not finished") : result.output.contains(words), "\(result.output)")
    }
  }

  /// Signs with combining ones behind them, which characters hide, and ends of lines, in names and reasons.
  @Test func hostileNames() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let name = "a\"\u{301} |\u{301} \u{600}<!--\u{600}<script> \r\n [x](y) &lt; \u{FFFF} \u{1B}[2J"
    let runs = ReportLog.runs.filter { $0.network == "plain" }.map { run in
      var run = run
      run.network = name
      if run.seed == 2 { run.failure = name }
      return run
    }
    let log = folder.file("log.jsonl")
    try runs.map(ReportLog.line).joined().write(toFile: log, atomically: true, encoding: .utf8)
    func report(_ format: String) throws -> String {
      let out = folder.file("out")
      let result = try Tool.run(["report", log, "--format", format, "--out", out, "--svg-dir", folder.file("svg")])
      #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
      return try String(contentsOfFile: out, encoding: .utf8)
    }
    let csv = try report("csv").unicodeScalars
    // quotes come in pairs, and outside of them a row ends 18 times for 8 epochs each, and once for its head
    #expect(csv.count { $0 == "\"" } % 2 == 0)
    var (isQuoted, ends) = (false, 0)
    for scalar in csv {
      if scalar == "\"" { isQuoted.toggle() }
      if scalar == "\n", !isQuoted { ends += 1 }
    }
    #expect(ends == 18 * 8 + 1)
    let markdown = try report("markdown")
    for table in markdown.components(separatedBy: "\n\n") where table.hasPrefix("|") {
      let bars = table.split(separator: "\n").map { row in
        let scalars = Array(row.unicodeScalars)
        return scalars.indices.count { scalars[$0] == "|" && ($0 == 0 || scalars[$0 - 1] != "\\") }
      }
      #expect(Set(bars).count == 1, "\(table)")
    }
    #expect(markdown.contains("\\[x\\](y) \\&lt;") && !markdown.unicodeScalars.contains("\r"))
    let page = try report("html")
    let data = try #require(
      page.components(separatedBy: "id=\"runs\">").last?.components(separatedBy: "</script>").first)
    #expect(!data.unicodeScalars.contains("<"))
    for file in ["figure-1-a-script-x-y-lt-2j-epochs.svg", "figure-1-a-script-x-y-lt-2j-seconds.svg"] {
      let parser = XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: folder.file("svg/\(file)"))))
      #expect(parser.parse(), "\(file): \(String(describing: parser.parserError))")
    }
  }

  /// The text shows its figures, wherever they are beside it.
  @Test(arguments: ["my figures", ".", "other"]) func markdownWithFigures(place: String) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let figures = place == "other" ? try Scratch() : nil
    defer { figures?.remove() }
    let result = try Tool.run([
      "report", try ReportLog.write(folder), "--format", "markdown", "--out", folder.file("results.md"), "--svg-dir",
      figures?.path ?? folder.file(place),
    ])
    #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(result)")
    let text = try String(contentsOfFile: folder.file("results.md"), encoding: .utf8)
    let links = text.split(separator: "\n").filter { $0.hasPrefix("![") }
    #expect(links.count == 4)
    for link in links {
      let path = String(try #require(link.split(separator: "(<").last).dropLast(2))
      let decoded = try #require(path.removingPercentEncoding)
      #expect(FileManager.default.fileExists(atPath: folder.file(decoded)), "\(path)")
    }
  }
}

/// What elements there are.
private final class Outline: NSObject, XMLParserDelegate {
  var count: [String: Int] = [:]
  var images = 0
  var headsWithoutScope = 0
  var ids: [String] = []

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    count[element, default: 0] += 1
    if let name = attributes["class"] { count["\(element).\(name)", default: 0] += 1 }
    if attributes["role"] == "img" { images += 1 }
    if element == "th", attributes["scope"] == nil { headsWithoutScope += 1 }
    if let id = attributes["id"] { ids.append(id) }
  }
}
