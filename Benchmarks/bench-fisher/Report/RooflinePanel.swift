import FisherKit
import FisherKitToolSupport
import Foundation

/// One roof, and the rows below it.
struct RooflinePanel {
  static let height = 500.0
  private static let margin = (left: 64.0, top: 34.0, right: 20.0, bottom: 56.0)

  let title: String
  private let roofline: Roofline
  private let rows: [Measurement]
  private let x: PlotSide
  private let y: PlotSide

  /// - Parameter around: what the axes have room for, of all panels.
  init(
    title: String, roofline: Roofline, rows: [Measurement], around values: (intensities: [Double], rates: [Double]),
    width: Double
  ) {
    (self.title, self.roofline, self.rows) = (title, roofline, rows)
    x = PlotSide(around: values.intensities, from: 0, to: width - Self.margin.left - Self.margin.right)
    y = PlotSide(around: values.rates, from: Self.height - Self.margin.top - Self.margin.bottom, to: 0)
  }

  var svg: [String] {
    [#"<g transform="translate(\#(format(Self.margin.left)),\#(format(Self.margin.top)))">"#]
      + axes + roof + points + ["</g>"]
  }

  private var axes: [String] {
    let (width, height) = (x.length, y.length)
    var out = [
      SVG.text(0, -12, heading, size: 13, anchor: "start"),
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
    return out + [#"<path class="axis" d="M0,0V\#(format(height))H\#(format(width))"/>"#]
  }

  private var heading: String {
    let limits = roofline.limits
    return "\(title): \(fixed(roofline.peak, 0)) GFLOP/s (multiply-adds \(fixed(limits.arithmetic, 0)), BLAS's product "
      + "\(fixed(limits.product, 0))), \(fixed(roofline.bandwidth, 1)) GB/s"
  }

  private var roof: [String] {
    // The slope starts where it enters the panel: at the left edge, or at the bottom one.
    let start = max(x.low, y.low / roofline.bandwidth)
    let corners = [start, roofline.ridge, x.high].map { intensity in
      "\(format(x.place(intensity))),\(format(y.place(roofline.attainable(intensity: intensity))))"
    }
    let product = y.place(roofline.limits.product)
    return [
      #"<path class="roof" d="M\#(corners.joined(separator: "L"))"/>"#,
      SVG.line(
        x.place(max(x.low, roofline.limits.product / roofline.bandwidth)), product, x.length, product, "blas"),
    ]
  }

  /// Of each family that the panel has the row with the most of its bound, and the one with the least.
  private var named: Set<Int> {
    var chosen: Set<Int> = []
    for family in KernelFamily.allCases {
      let ranked = rows.indices.filter { KernelFamily(kernel: rows[$0].kernel) == family }
        .sorted { rows[$0].fractionOfAttainable! < rows[$1].fractionOfAttainable! }
      chosen.formUnion([ranked.first, ranked.last].compactMap { $0 })
    }
    return chosen
  }

  private func name(_ row: Measurement) -> String {
    "\(row.kernel) \(row.shape) (\(fixed(row.fractionOfAttainable!, 2)))"
  }

  private var points: [String] {
    let places = rows.map { (row: $0, x: x.place($0.intensity), y: y.place($0.gflops!)) }
    let named = named.sorted { places[$0].x < places[$1].x }
    var out: [String] = []
    let labels = LabelPlacement.place(
      named.map { (name(places[$0].row), places[$0].x, places[$0].y) },
      beside: places.map { .init(x: $0.x, y: $0.y, halfWidth: 5, halfHeight: 5) } + alongTheRoof,
      width: x.length, height: y.length)
    for (index, label) in zip(named, labels) {
      guard let end = label.leader else { continue }
      out.append(SVG.line(places[index].x, places[index].y, end.x, end.y, "leader"))
    }
    for (index, place) in places.enumerated() {
      let isNamed = named.contains(index)
      out.append(
        SVG.circle(
          place.x, place.y, isNamed ? 5 : 3.5, KernelFamily(kernel: place.row.kernel).colour, title: name(place.row),
          isNamed: isNamed))
    }
    for (index, label) in zip(named, labels) {
      out.append(SVG.text(label.x, label.y + 3.5, name(places[index].row), size: 10))
    }
    return out
  }

  /// Small boxes on the line, so that no label lies across it.
  private var alongTheRoof: [LabelPlacement.Box] {
    stride(from: 0.0, through: x.length, by: 8).map { across in
      let intensity = x.axis.low * pow(x.axis.high / x.axis.low, across / x.length)
      return .init(
        x: across, y: y.place(roofline.attainable(intensity: intensity)), halfWidth: 4, halfHeight: 5)
    }
  }
}
