import Foundation
import Testing

@testable import FisherKitTool

/// The page of `fisher report` in a browser.
@Suite struct ReportBrowserTests {
  private static let browser = ["chromium", "chromium-browser", "google-chrome"]
    .flatMap { name in ["/usr/bin", "/usr/local/bin"].map { "\($0)/\(name)" } }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Where what is to be looked at stays.
  private static let artifacts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../.build/artifacts").standardized.path

  /// No console error, nothing asked of a network, all figures, and buttons that zoom.
  @Test func inChromium() throws {
    guard let browser = Self.browser else {
      #if os(Linux)
        Issue.record("expected Chromium, found none: scripts/install-packages chromium")
      #endif
      return
    }
    let folder = try Scratch()
    defer { folder.remove() }
    let (page, network) = (folder.file("report.html"), folder.file("net.json"))
    #expect(try Tool.run(["report", try ReportLog.write(folder), "--out", page]).status == 0)
    // Pressed and asked for by the page itself, after its own script: headless Chromium has no hands.
    let probe = """
      <script>
      const box = document.querySelector(".panel"), plot = box.querySelector(".plot");
      const views = [plot.getAttribute("viewBox")], see = () => views.push(plot.getAttribute("viewBox"));
      const key = name => box.querySelector("svg").dispatchEvent(new KeyboardEvent("keydown", { key: name }));
      const button = name => [...box.querySelectorAll("button")].find(b => b.textContent === name).click();
      const point = (name, x, y) => box.querySelector("svg").dispatchEvent(
        new PointerEvent(name, { button: 0, pointerId: 1, clientX: x, clientY: y }));
      box.querySelector("svg").setPointerCapture = () => {};
      button("+"); see(); key("ArrowRight"); see(); button("←"); see();
      point("pointerdown", 9, 9); point("pointermove", 5, 9); point("pointerup", 5, 9); point("pointermove", 9, 99); see();
      key("0"); see();
      document.body.dataset.views = views.join("|");
      document.body.dataset.width = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      </script>
      """
    let html = try String(contentsOfFile: page, encoding: .utf8)
    let probed = folder.file("probed.html")
    try html.replacing("</body>", with: probe + "</body>").write(toFile: probed, atomically: true, encoding: .utf8)
    try FileManager.default.createDirectory(atPath: Self.artifacts, withIntermediateDirectories: true)
    let screenshot = "\(Self.artifacts)/report.png"
    try? FileManager.default.removeItem(atPath: screenshot)
    let common = [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
      "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
      "--disable-features=NetworkTimeServiceQuerying,OptimizationHints,MediaRouter", "--no-first-run",
      "--host-resolver-rules=MAP * ~NOTFOUND",
      "--enable-logging=stderr", "--user-data-dir=\(folder.file("profile"))",
    ]
    let shown = try Tool.run(
      common + ["--screenshot=\(screenshot)", "--window-size=1200,3000", "file://\(page)"], executable: browser)
    #expect(shown.status == 0 && !shown.errors.contains("CONSOLE"), "\(shown)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: screenshot)).count > 20_000)
    let dumped = try Tool.run(
      common + ["--dump-dom", "--log-net-log=\(network)", "--window-size=400,900", "file://\(probed)"],
      executable: browser)
    #expect(dumped.status == 0 && !dumped.errors.contains("CONSOLE"), "\(dumped.errors)")
    let dom = dumped.output
    let figures = dom.components(separatedBy: "<svg class=\"whole\"").count - 1
    let buttons = dom.components(separatedBy: "<button type=\"button\"").count - 1
    #expect(figures == 10 && buttons == 70)
    let views = try #require(dom.firstMatch(of: /data-views="([^"]*)"/)).1.split(separator: "|")
      .map { view in view.split(separator: " ").map { Double($0) } }
    // zoomed; to the right and back; dragged to the left, which shows what is to the right, and let go; reset
    #expect(views.count == 6 && Set(views).count == 4 && views[0] == views[5] && views[1] == views[3], "\(views)")
    let corners = views.compactMap { $0.first.flatMap { $0 } }
    #expect(corners.count == 6 && corners[4] > corners[3] && corners[4] < corners[2] && views[4][1] == views[3][1])
    // Nothing is wider than a telephone.
    let tooWide = try #require(dom.firstMatch(of: /data-width="([^"]*)"/)).1
    #expect(tooWide == "0")
    #expect(try asked(network).isEmpty)
    // What would be seen if it did ask.
    let asking = folder.file("asking.html")
    try html.replacing("</body>", with: "<img src=\"http://example.invalid/a.png\" /></body>")
      .write(toFile: asking, atomically: true, encoding: .utf8)
    _ = try Tool.run(common + ["--dump-dom", "--log-net-log=\(network)", "file://\(asking)"], executable: browser)
    #expect(try asked(network) == ["http://example.invalid/a.png"])
  }

  /// The addresses that a page asked for; those that Chromium asks for by itself have no origin.
  private func asked(_ log: String) throws -> Set<String> {
    let events = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").filter {
      $0.contains("\"initiator\":") && !$0.contains("\"initiator\":\"not an origin\"")
    }
    return Set(events.compactMap { $0.firstMatch(of: /"url":"(https?:[^"]*)"/).map { String($0.1) } })
  }
}
