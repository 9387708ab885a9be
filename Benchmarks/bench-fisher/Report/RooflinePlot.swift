import FisherKit
import FisherKitTestSupport
import FisherKitToolSupport
import Foundation

/// Every row as a point below the roof: operations for each byte against GFLOP/s, a panel for each precision and number
/// of threads. Colours are families of kernels; of each family the rows with the most and the least of their bound are
/// named, and a table below the panels has the shares of all.
struct RooflinePlot {
  private let panels: [RooflinePanel]
  private let rows: [Measurement]
  private let loads: [Double]
  private let library = BLASLibrary.current

  private static let width = 900.0
  private static let heading = 76.0
  private static let lineHeight = 17.0

  init(_ results: Results) {
    let rows = results.measurements.filter { $0.timing != nil && $0.intensity > 0 }
    let intensities = rows.map(\.intensity) + rows.map(\.roofline.ridge)
    let rates = rows.map { $0.gflops! } + rows.map(\.roofline.peak)
    var panels: [RooflinePanel] = []
    for row in rows {
      let title = "\(row.precision), \(counted(row.threads))"
      guard !panels.contains(where: { $0.title == title }) else { continue }
      panels.append(
        RooflinePanel(
          title: title, roofline: row.roofline,
          rows: rows.filter { $0.precision == row.precision && $0.threads == row.threads },
          around: (intensities, rates), width: Self.width))
    }
    (self.panels, self.rows, loads) = (panels, rows, results.loads)
  }

  var svg: String {
    let tableTop = Self.heading + Double(panels.count) * RooflinePanel.height + 20
    let height = tableTop + Double(KernelFamily.allCases.count + Self.notes.count + 2) * Self.lineHeight
    var out = [
      #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(format(Self.width)) \#(format(height))" "#
        + #"width="\#(format(Self.width))" height="\#(format(height))" font-family="Helvetica, Arial, sans-serif">"#,
      "<title>Roofline of the kernels</title>", Self.style,
      #"<rect class="page" width="\#(format(Self.width))" height="\#(format(height))"/>"#,
      SVG.text(20, 28, "Roofline: what limits each kernel, and how near it comes", size: 17, anchor: "start"),
    ]
    for (line, text) in machine.enumerated() {
      out.append(SVG.text(20, 50 + Double(line) * 16, text, size: 12, anchor: "start"))
    }
    for (index, panel) in panels.enumerated() {
      let top = Self.heading + Double(index) * RooflinePanel.height
      out.append(#"<g transform="translate(0,\#(format(top)))">"#)
      out += panel.svg + ["</g>"]
    }
    return (out + table(at: tableTop) + ["</svg>", ""]).joined(separator: "\n")
  }

  private var machine: [String] {
    let level = rows.first.map { ", instructions: \($0.level)" } ?? ""
    let load = loads.max().map { "; load at most \(fixed($0, 2))" } ?? ""
    return [
      "\(Machine.summary)\(level)",
      "\(library.summary); large products: \(Compute.products)\(load)",
    ]
  }

  private static let style = """
    <style>
    .page{fill:#ffffff} text{fill:#1f2937} .axis{stroke:#374151;fill:none} .grid{stroke:#e5e7eb}
    .roof{stroke:#374151;stroke-width:2;fill:none} .blas{stroke:#6b7280;stroke-dasharray:5 4;fill:none}
    .leader{stroke:#6b7280;stroke-width:.7} .named{stroke:#1f2937;stroke-width:1.2} .quiet{fill:#6b7280}
    @media (prefers-color-scheme: dark) {
    .page{fill:#0d1117} text{fill:#e5e7eb} .axis{stroke:#9ca3af} .grid{stroke:#263040} .roof{stroke:#d1d5db}
    .blas{stroke:#9ca3af} .leader{stroke:#9ca3af} .named{stroke:#e5e7eb} .quiet{fill:#9ca3af} }
    </style>
    """

  private static let notes = [
    "A point is a kernel at one shape. Named are, of each family, the one with the most of its bound and the one with the "
      + "least, and their shares.",
    "The bound is the roof above or below a point: memory on the slope, arithmetic on the flat part. The dashed line is "
      + "BLAS's product of order 2048.",
    "Points above the slope had their operands in a cache, which is faster than memory.",
  ]

  /// The legend, with what the families come to.
  private func table(at top: Double) -> [String] {
    let columns = [300.0, 400, 500, 600]
    var out: [String] = []
    for (column, title) in zip(columns, ["rows", "least", "median", "most"]) {
      out.append(SVG.text(column, top, title, size: 12, anchor: "end"))
    }
    out.append(SVG.text(columns[3] + 14, top, "share of the bound, all panels", size: 12, anchor: "start"))
    var line = top
    for family in KernelFamily.allCases {
      let shares = rows.filter { KernelFamily(kernel: $0.kernel) == family }.map { $0.fractionOfAttainable! }.sorted()
      guard !shares.isEmpty else { continue }
      line += Self.lineHeight
      out.append(SVG.circle(27, line - 4, 5, family.colour))
      out.append(SVG.text(40, line, family.rawValue, size: 12, anchor: "start"))
      let figures = [shares[0], shares[shares.count / 2], shares[shares.count - 1]].map { fixed($0, 2) }
      for (column, text) in zip(columns, ["\(shares.count)"] + figures) {
        out.append(SVG.text(column, line, text, size: 12, anchor: "end"))
      }
    }
    line += 8
    for note in Self.notes {
      line += Self.lineHeight
      out.append(SVG.text(20, line, note, size: 11, anchor: "start"))
    }
    return out
  }
}
