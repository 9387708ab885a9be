import Foundation
import Testing

@testable import FisherKitBench

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// `bench-fisher`: that it checks, times and reports; not how fast anything is.
@Suite struct BenchTests {
  /// What scripts find in a row, and of which kind.
  struct Row: Decodable {
    var kernel: String
    var d: Int?
    var m: Int?
    var n: Int?
    var precision: String
    var level: String
    var threads: Int
    var median_seconds: Double
    var gflops: Double
    var gbytes_per_second: Double
    var peak_gflops: Double
    var peak_multiply_add_gflops: Double
    var peak_blas_gflops: Double
    var blas: String
    var blas_core: String
    var products: String
    var fraction_of_peak: Double
    var bound: String
    var bandwidth_gbytes_per_second: Double
    var fraction_of_attainable: Double
    var peer_seconds: Double?
    var peer_ratio: Double?
    var peer_formulation: String?
    var max_relative_error: Double
  }

  static let keys = [
    "kernel", "d", "m", "n", "precision", "threads", "median_seconds", "gflops", "gbytes_per_second", "peak_gflops",
    "fraction_of_peak", "peer_seconds", "peer_ratio", "max_relative_error",
  ]

  static func rows(_ path: String) throws -> [Row] {
    try JSONDecoder().decode([Row].self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test(arguments: ["float", "double"]) func tableAndJSON(precision: String) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(
      [
        "--quick", "--filter", "softmax_block_matvec", "--precision", precision, "--threads", "2,1", "--json",
        folder.file("rows.json"),
      ], tool: "bench-fisher")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors == "", "\(result)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("softmax_block_matvec") } == 6, "\(result)")
    let product = "\(precision == "float" ? "s" : "d")gemm 2048 "
    #expect(
      lines.count { $0.hasPrefix("peak \(precision), ") && $0.contains("(multiply-adds ") && $0.contains(product) }
        == 4,
      "\(result)")
    #expect(lines.count { $0.hasPrefix("BLAS ") && $0.contains("core ") && $0.contains("large products: ") } == 1)
    #expect(lines.count { $0.hasPrefix("memory, ") } == 2, "\(result)")
    #expect(folder.contents == ["rows.json"])
    let rows = try Self.rows(folder.file("rows.json"))
    #expect(rows.map(\.n) == [50, 50, 500, 500, 1024, 1024] && rows.map(\.threads) == [2, 1, 2, 1, 2, 1])
    for row in rows {
      #expect(row.precision == precision && row.kernel == "softmax_block_matvec")
      let flops = 4 * Double(row.n! * row.m! * row.d!)
      #expect(abs(row.gflops * row.median_seconds * 1e9 / flops - 1) < 1e-9)
      #expect(abs(row.fraction_of_peak * row.peak_gflops / row.gflops - 1) < 1e-9)
      #expect(row.peak_gflops == max(row.peak_multiply_add_gflops, row.peak_blas_gflops))
      #expect(row.peak_blas_gflops > 0 && !row.blas.isEmpty && !row.blas_core.isEmpty && !row.products.isEmpty)
      let intensity = row.gflops / row.gbytes_per_second
      let attainable = min(row.peak_gflops, intensity * row.bandwidth_gbytes_per_second)
      #expect(abs(row.fraction_of_attainable * attainable / row.gflops - 1) < 1e-9)
      #expect(row.bound == (attainable < row.peak_gflops ? "memory" : "compute"))
      #expect(row.peer_seconds == nil && row.peer_ratio == nil)
      #expect(row.max_relative_error > 0 && row.max_relative_error < 1e-4)
    }
  }

  /// Sizes that a kernel has not, and a peer that is not asked, are null and not missing.
  @Test func keysPlotAndMarkdown() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(
      [
        "--quick", "--filter", "eigenvalues", "--threads", "1", "--json", folder.file("rows.json"), "--plot",
        folder.file("roof.svg"), "--markdown", folder.file("table.md"),
      ], tool: "bench-fisher")
    #expect(result.status == 0 && result.errors == "", "\(result)")
    #expect(folder.contents.sorted() == ["roof.svg", "rows.json", "table.md"])
    let json = try Data(contentsOf: URL(fileURLWithPath: folder.file("rows.json")))
    let rows = try #require(try JSONSerialization.jsonObject(with: json) as? [[String: Any]])
    for row in rows { #expect(Set(Self.keys).subtracting(row.keys).isEmpty, "\(row)") }
    let row = try #require(rows.first)
    for key in ["m", "n", "peer_seconds", "peer_ratio"] { #expect(row[key] is NSNull, "\(row)") }
    #expect(row["d"] as? Int == 81, "\(row)")

    let picture = try Data(contentsOf: URL(fileURLWithPath: folder.file("roof.svg")))
    let elements = Elements()
    let parser = XMLParser(data: picture)
    parser.delegate = elements
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(elements.points == rows.count && elements.roofs == 1)
    for words in ["GFLOP/s", "flop/byte", "float, 1 thread", "eigenvalues d=785", "BLAS ", "load at most "] {
      #expect(elements.text.contains(words), "\(words)")
    }
    #expect(!String(decoding: picture, as: UTF8.self).contains("url("))

    let table = try String(contentsOfFile: folder.file("table.md"), encoding: .utf8)
    let lines = table.split(separator: "\n").filter { $0.hasPrefix("|") }
    #expect(lines.count == rows.count + 2 && lines[0].contains("| flops/peak | bytes/bandwidth |"), "\(table)")
    #expect(Set(lines.map { $0.count { $0 == "|" } }).count == 1, "\(table)")
  }

  private final class Elements: NSObject, XMLParserDelegate {
    var points = 0
    var roofs = 0
    var text = ""

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      if name == "circle", attributes["class"]?.hasPrefix("point") == true { points += 1 }
      if name == "path", attributes["class"] == "roof" { roofs += 1 }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }

  /// OpenBLAS says what it runs at. Told to run at less than the CPU has, it is warned of, and products are our own.
  @Test func slowBLAS() throws {
    let library = BLASLibrary.current
    guard library.name.hasPrefix("OpenBLAS"), library.bytes > 16, library.levelBytes > 16 else { return }
    for (products, expected) in [("auto", "own"), ("blas", "BLAS, Nehalem")] {
      let result = try Tool.run(
        ["--quick", "--filter", "gemm", "--threads", "1"], tool: "bench-fisher",
        environment: ["OPENBLAS_CORETYPE": "Nehalem", "FISHERKIT_PRODUCTS": products])
      #expect(result.status == 0 && result.errors == "", "\(result)")
      for words in [
        "core Nehalem; large products: \(expected)", "warning: BLAS runs its kernels for Nehalem, of 16-byte vectors",
      ] { #expect(result.output.contains(words), "\(words): \(result)") }
    }
  }

  @Test func scaling() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(
      [
        "--quick", "--scaling", "--filter", "gram_weighted_batch", "--threads", "1,2", "--json",
        folder.file("rows.json"), "--markdown", folder.file("table.md"),
      ], tool: "bench-fisher")
    #expect(result.status == 0 && result.errors == "", "\(result)")
    let fits = try #require(result.output.components(separatedBy: "step by step (of flops)").last)
    let lines = fits.split(separator: "\n").filter { $0.hasPrefix("gram_weighted_batch") }
    #expect(lines.count == 4 && lines[3].contains("times as fast with 2 threads"), "\(result)")
    for (line, size) in zip(lines, ["d", "m", "n"]) {
      let words = line.split(separator: " ")
      #expect(words[1...3] == ["float", "2", Substring(size)], "\(line)")
      #expect(words[7] == (size == "d" ? "1.99" : "1.00"), "\(line)")
    }
    #expect(try Self.rows(folder.file("rows.json")).count == 11)
    let table = try String(contentsOfFile: folder.file("table.md"), encoding: .utf8)
    #expect(table.split(separator: "\n").count { $0.hasPrefix("| gram_weighted_batch | float |") } == 4, "\(table)")
  }

  @Test(arguments: [
    ["--filter", "nosuch"], ["--threads", "0"], ["--threads", "1,"], ["--threads", "1,x"], ["--threads", "2,2"],
    ["--threads", "1,4097"], ["--level", "avx9"], ["--precision", "half"], ["--nosuch"], ["word"],
    ["--json", "/nonexistent-folder/rows.json"], ["--json", ""], ["--plot", "/nonexistent-folder/roof.svg"],
    ["--markdown", "/nonexistent-folder/table.md"], ["--scaling", "--plot", "/dev/null"],
    ["--scaling", "--filter", "update_sgd"], ["--scaling", "--peer", "/bin/sh"], ["--peer", "/nonexistent/python"],
    ["--peer", "/bin"], ["--peer", "/bin/sh", "--peer-script", "/nonexistent.py"],
    ["--peer", "/bin/sh", "--peer-script", "/bin"], ["--peer-script", "/dev/null"],
    ["--peer", "/bin/sh", "--peer-limit", "0"], ["--peer", "/bin/sh", "--peer-limit", "nan"],
  ]) func wrongCommandLines(arguments: [String]) throws {
    let result = try Tool.run(arguments, tool: "bench-fisher")
    #expect(result.status == 64, "\(result)")
    #expect(result.output == "", "\(result)")
    #expect(result.errors.hasPrefix("bench-fisher: ") && result.errors.count { $0 == "\n" } == 1, "\(result)")
  }

  @Test func noFileIsLeftBehindWhenAnotherCannotBeOpened() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(
      ["--json", folder.file("rows.json"), "--plot", "/nonexistent-folder/roof.svg"], tool: "bench-fisher")
    #expect(result.status == 64 && result.errors.contains("--plot: "), "\(result)")
    #expect(folder.contents.isEmpty)
  }
}
