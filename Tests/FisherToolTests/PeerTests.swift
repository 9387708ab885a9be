import Foundation
import Testing

/// `bench-fisher --peer`, with shell scripts in the place of PyTorch's.
@Suite struct PeerTests {
  private static let greeting = #"echo '{"torch":"9.9","kernels":["gemm"]}'"#

  private func run(_ script: String, in folder: Scratch, limit: String = "60") throws -> Tool.Result {
    try script.write(toFile: folder.file("peer.sh"), atomically: true, encoding: .utf8)
    return try Tool.run(
      [
        "--quick", "--filter", "gemm", "--threads", "1", "--peer", "/bin/sh", "--peer-script", folder.file("peer.sh"),
        "--peer-limit", limit, "--json", folder.file("rows.json"), "--markdown", folder.file("table.md"),
      ], tool: "bench-fisher")
  }

  @Test func answers() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let script = """
      \(Self.greeting)
      while read -r line; do
        echo "$line" >>'\(folder.file("requests"))'
        echo noise >&2
        echo '{"seconds":0.5,"formulation":"best","formulations":{"best":0.5,"other":0.75}}'
      done
      echo end >>'\(folder.file("requests"))'
      """
    let result = try run(script, in: folder)
    #expect(result.status == 0 && result.errors == "", "\(result)")
    #expect(result.output.contains("PyTorch 9.9\n") && result.output.contains("500.00 ms"), "\(result)")
    let rows = try BenchTests.rows(folder.file("rows.json"))
    #expect(!rows.isEmpty)
    for row in rows {
      #expect(row.peer_seconds == 0.5 && row.peer_formulation == "best")
      #expect(abs(row.peer_ratio! * row.median_seconds / 0.5 - 1) < 1e-9)
    }
    let requests = try String(contentsOfFile: folder.file("requests"), encoding: .utf8).split(separator: "\n")
    #expect(requests.count == rows.count + 1 && requests.last == "end", "\(requests)")
    let request = try #require(
      try JSONSerialization.jsonObject(with: Data(requests[0].utf8)) as? [String: Any])
    #expect(request["kernel"] as? String == "gemm" && request["precision"] as? String == "float", "\(request)")
    #expect(request["threads"] as? Int == 1, "\(request)")
    #expect(request["sizes"] as? [String: Int] == ["d": rows[0].d!, "m": rows[0].m!, "n": rows[0].n!], "\(request)")
    let patience = try #require(request["patience"] as? [String: Double])
    #expect(Set(patience.keys) == ["repetitions", "seconds", "limit", "least"])
    #expect(try String(contentsOfFile: folder.file("table.md"), encoding: .utf8).contains("| best |"))
  }

  @Test func kernelWithoutPeer() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let result = try run(#"echo '{"torch":"9.9","kernels":["other"]}'; cat >/dev/null"#, in: folder)
    #expect(result.status == 0 && result.errors == "", "\(result)")
    #expect(try BenchTests.rows(folder.file("rows.json")).allSatisfy { $0.peer_ratio == nil })
  }

  /// One line, status 70, no file, and no waiting.
  @Test(arguments: [
    ("echo line one >&2; echo no such module >&2; exit 3", "no such module"),
    ("exit 0", "ended without a word"),
    (#"echo '{"error":"no PyTorch here"}'; exit 1"#, "no PyTorch here"),
    ("echo nonsense; sleep 60", "found nonsense"),
    ("exec sleep 60", "within 0.5 s"),
    ("\(greeting); read -r line; echo gone >&2; exit 3", "gone"),
    ("\(greeting); exit 3", "gemm d="),
    ("\(greeting); exec sleep 60", "within 0.5 s"),
    (#"\#(greeting); read -r line; echo '{"error":"too large"}'; cat >/dev/null"#, "too large"),
    (
      #"\#(greeting); read -r line; echo '{"seconds":0,"formulation":"x","formulations":{}}'; cat >/dev/null"#,
      "seconds above 0"
    ),
    (#"\#(greeting); read -r line; echo '{"seconds":1}'; cat >/dev/null"#, "found {\"seconds\":1}"),
  ]) func failures(script: String, words: String) throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let clock = ContinuousClock()
    let start = clock.now
    let result = try run(script, in: folder, limit: "0.5")
    #expect(clock.now - start < .seconds(50), "\(script)")
    #expect(result.status == 70, "\(script): \(result)")
    #expect(result.errors.hasPrefix("bench-fisher: --peer: ") && result.errors.contains(words), "\(script): \(result)")
    #expect(result.errors.count { $0 == "\n" } == 1, "\(script): \(result)")
    #expect(folder.contents == ["peer.sh"], "\(script): \(folder.contents)")
  }

  /// The script that comes with the package answers a Python without PyTorch's way: in one line.
  @Test func pythonWithoutTorch() throws {
    let python = "/usr/bin/python3"
    guard FileManager.default.isExecutableFile(atPath: python) else { return }
    let probe = try Tool.run(["-c", "import torch"], executable: python)
    guard probe.status != 0 else { return }
    let result = try Tool.run(["--quick", "--filter", "gemm", "--peer", python], tool: "bench-fisher")
    #expect(result.status == 70 && result.errors.contains("PyTorch"), "\(result)")
    #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
  }
}
