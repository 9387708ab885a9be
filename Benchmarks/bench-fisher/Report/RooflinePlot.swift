import FisherKit
import FisherKitTestSupport
import FisherKitToolSupport
import Foundation

/// Every row as a point below the roof: operations for each byte against GFLOP/s, a panel for each precision and number
/// of threads. Points have numbers, the list below says what they are.
struct RooflinePlot {
  private struct Panel {
    let title: String
    let roofline: Roofline
    let points: [(number: Int, row: Measurement)]
  }

  private let panels: [Panel]
  private let names: [String]
  private let x: PlotSide
  private let y: PlotSide

  private static let size = (width: 560.0, height: 440.0)
  private static let margin = (left: 64.0, top: 40.0, right: 16.0, bottom: 52.0)
  private static let heading = 64.0
  private static let columns = 2

  init(_ measurements: [Measurement]) {
    let rows = measurements.filter { $0.timing != nil && $0.intensity > 0 }
    let names = rows.map(Self.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    var panels: [Panel] = []
    for row in rows {
      let title = "\(row.precision), \(counted(row.threads))"
      guard !panels.contains(where: { $0.title == title }) else { continue }
      let points = rows.filter { $0.precision == row.precision && $0.threads == row.threads }
        .map { (names.firstIndex(of: Self.name($0))! + 1, $0) }
      panels.append(Panel(title: title, roofline: row.roofline, points: points))
    }
    self.panels = panels
    self.names = names
    let rates = rows.map { $0.gflops! } + rows.map(\.roofline.peak)
    let intensities = rows.map(\.intensity) + rows.map(\.roofline.ridge)
    x = PlotSide(around: intensities, from: 0, to: Self.size.width - Self.margin.left - Self.margin.right)
    y = PlotSide(around: rates, from: Self.size.height - Self.margin.top - Self.margin.bottom, to: 0)
  }

  private static func name(_ row: Measurement) -> String { "\(row.kernel) \(row.shape)" }

  var svg: String {
    let across = Double(min(Self.columns, max(1, panels.count)))
    let down = (Double(panels.count) / across).rounded(.up)
    let width = max(900, across * Self.size.width)
    let listTop = Self.heading + down * Self.size.height + 16
    // (as many as the longest name leaves room for)
    let longest = 6.2 * Double(names.map(\.count).max() ?? 0) + 40
    let listColumns = max(1, min(3, Int((width - 40) / longest)))
    let perColumn = (names.count + listColumns - 1) / listColumns
    let height = listTop + Double(perColumn) * 15 + 16
    var out = [
      #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(format(width)) \#(format(height))" "#
        + #"width="\#(format(width))" height="\#(format(height))" font-family="Helvetica, Arial, sans-serif">"#,
      "<title>Roofline of the kernels</title>", Self.style,
      #"<rect class="page" width="\#(format(width))" height="\#(format(height))"/>"#,
      SVG.text(20, 28, "Roofline: what limits each kernel, and how near it comes", size: 17, anchor: "start"),
    ]
    out += legend(at: 48)
    for (index, panel) in panels.enumerated() {
      let (row, column) = (index / Int(across), index % Int(across))
      let (left, top) = (Double(column) * Self.size.width, Self.heading + Double(row) * Self.size.height)
      out.append(#"<g transform="translate(\#(format(left + Self.margin.left)),\#(format(top + Self.margin.top)))">"#)
      out += draw(panel) + ["</g>"]
    }
    for (index, name) in names.enumerated() {
      let (column, line) = (index / max(1, perColumn), index % max(1, perColumn))
      let left = 20 + Double(column) * (width - 40) / Double(listColumns)
      out.append(
        SVG.text(left, listTop + Double(line) * 15, "\(index + 1)  \(name)", size: 11, anchor: "start"))
    }
    return (out + ["</svg>", ""]).joined(separator: "\n")
  }

  private static let style = """
    <style>
    .page{fill:#ffffff} text{fill:#1f2937} .axis{stroke:#374151;fill:none} .grid{stroke:#e5e7eb}
    .roof{stroke:#374151;stroke-width:2;fill:none} .leader{stroke:#9ca3af;stroke-width:.6}
    @media (prefers-color-scheme: dark) {
    .page{fill:#0d1117} text{fill:#e5e7eb} .axis{stroke:#9ca3af} .grid{stroke:#263040} .roof{stroke:#d1d5db}
    .leader{stroke:#6b7280} }
    </style>
    """

  private func legend(at height: Double) -> [String] {
    var (out, left) = ([String](), 20.0)
    for family in KernelFamily.allCases {
      out.append(SVG.circle(left + 5, height - 4, 4.5, family.colour))
      out.append(SVG.text(left + 15, height, family.rawValue, size: 12, anchor: "start"))
      left += 34 + 6.6 * Double(family.rawValue.count)
    }
    return out
  }

  private func draw(_ panel: Panel) -> [String] {
    let (width, height) = (x.length, y.length)
    let roof = panel.roofline
    let gflops = fixed(roof.peak, 0)
    var out = [
      SVG.text(
        0, -14, "\(panel.title): \(gflops) GFLOP/s, \(fixed(roof.bandwidth, 1)) GB/s", size: 13, anchor: "start"),
      SVG.text(width / 2, height + 38, "operations for each byte that must be moved (flop/byte)", size: 12),
      #"<text transform="translate(-46,\#(format(height / 2))) rotate(-90)" font-size="12" "#
        + #"text-anchor="middle">GFLOP/s</text>"#,
    ]
    for tick in x.axis.ticks {
      out.append(SVG.line(x.place(tick), 0, x.place(tick), height, "grid"))
      out.append(SVG.text(x.place(tick), height + 17, Axis.text(tick), size: 11))
    }
    for tick in y.axis.ticks {
      out.append(SVG.line(0, y.place(tick), width, y.place(tick), "grid"))
      out.append(SVG.text(-6, y.place(tick) + 4, Axis.text(tick), size: 11, anchor: "end"))
    }
    out.append(#"<path class="axis" d="M0,0V\#(format(height))H\#(format(width))"/>"#)
    // The slope starts where it enters the panel: at the left edge, or at the bottom one.
    let start = max(x.low, y.low / roof.bandwidth)
    let corners = [start, roof.ridge, x.high].map { intensity in
      "\(format(x.place(intensity))),\(format(y.place(roof.attainable(intensity: intensity))))"
    }
    out.append(#"<path class="roof" d="M\#(corners.joined(separator: "L"))"/>"#)
    return out + points(panel)
  }

  private func points(_ panel: Panel) -> [String] {
    let places = panel.points.map { point in
      (number: point.number, row: point.row, x: x.place(point.row.intensity), y: y.place(point.row.gflops!))
    }
    let labels = LabelPlacement.place(
      places.map { ("\($0.number)", $0.x, $0.y) }, width: x.length, height: y.length)
    var out: [String] = []
    for (place, label) in zip(places, labels) where label.isFar {
      out.append(SVG.line(place.x, place.y, label.x, label.y, "leader"))
    }
    for place in places {
      let family = KernelFamily(kernel: place.row.kernel)
      out.append(SVG.circle(place.x, place.y, 3.5, family.colour, title: "\(place.number) \(Self.name(place.row))"))
    }
    for (place, label) in zip(places, labels) {
      out.append(SVG.text(label.x, label.y + 3.5, "\(place.number)", size: 10))
    }
    return out
  }
}
