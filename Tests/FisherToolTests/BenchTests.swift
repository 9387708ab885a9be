import Foundation
import Testing

/// `bench-fisher`: that it checks, times and reports; not how fast anything is.
@Suite struct BenchTests {
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
    var fraction_of_peak: Double
    var max_relative_error: Double
  }

  @Test(arguments: ["float", "double"]) func tableAndJSON(precision: String) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try Tool.run(
      [
        "--quick", "--filter", "softmax_block_matvec", "--precision", precision, "--threads", "1", "--json",
        folder.file("rows.json"),
      ], tool: "bench-fisher")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors == "", "\(result)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("softmax_block_matvec") } == 3, "\(result)")
    #expect(lines.count { $0.hasPrefix("peak \(precision == "float" ? "s" : "d")gemm 2048") } == 2, "\(result)")
    #expect(folder.contents == ["rows.json"])
    let rows = try JSONDecoder().decode(
      [Row].self, from: try Data(contentsOf: URL(fileURLWithPath: folder.file("rows.json"))))
    #expect(rows.map(\.n) == [50, 500, 1024])
    for row in rows {
      #expect(row.precision == precision && row.threads == 1 && row.kernel == "softmax_block_matvec")
      let flops = 4 * Double(row.n! * row.m! * row.d!)
      #expect(abs(row.gflops * row.median_seconds * 1e9 / flops - 1) < 1e-9)
      #expect(abs(row.fraction_of_peak * row.peak_gflops / row.gflops - 1) < 1e-9)
      #expect(row.max_relative_error > 0 && row.max_relative_error < 1e-4)
    }
  }

  @Test(arguments: [
    ["--filter", "nosuch"], ["--threads", "0"], ["--level", "avx9"], ["--precision", "half"], ["--nosuch"], ["word"],
    ["--json", "/nonexistent-folder/rows.json"], ["--json", ""],
  ]) func wrongCommandLines(arguments: [String]) throws {
    let result = try Tool.run(arguments, tool: "bench-fisher")
    #expect(result.status == 64, "\(result)")
    #expect(result.output == "", "\(result)")
    #expect(result.errors.hasPrefix("bench-fisher: ") && result.errors.count { $0 == "\n" } == 1, "\(result)")
  }
}
