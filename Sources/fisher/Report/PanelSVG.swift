import FisherKit
import FisherKitToolSupport
import Foundation

/// A panel drawn: a frame with ticks, and in it a picture of its own, which cuts off what lies outside and whose view
/// the page's script moves.
struct PanelSVG {
  static let (width, height) = (480.0, 330.0)
  static let (left, right, top, bottom) = (72.0, 14.0, 32.0, 50.0)
  static var plotWidth: Double { width - left - right }
  static var plotHeight: Double { height - top - bottom }

  let panel: Panel

  /// What stands inside the svg element.
  var content: String {
    let heading = panel.heading.prefix(1).uppercased() + panel.heading.dropFirst()
    return """
      <text class="panel-title" x="\(f(Self.left))" y="20">\(escaped(heading))</text>
      <g class="ticks">\(ticks)</g>
      <svg class="plot" x="\(f(Self.left))" y="\(f(Self.top))" width="\(f(Self.plotWidth))" \
      height="\(f(Self.plotHeight))" viewBox="0 0 \(f(Self.plotWidth)) \(f(Self.plotHeight))" \
      preserveAspectRatio="none">
      \(curves)</svg>
      <rect class="frame" x="\(f(Self.left))" y="\(f(Self.top))" width="\(f(Self.plotWidth))" \
      height="\(f(Self.plotHeight))" />
      <text x="\(f(Self.left + Self.plotWidth / 2))" y="\(f(Self.height - 10))" text-anchor="middle">\
      \(escaped(panel.x.label))</text>
      <text transform="translate(16 \(f(Self.top + Self.plotHeight / 2))) rotate(-90)" text-anchor="middle">\
      \(escaped(panel.y.label))</text>

      """
  }

  private var ticks: String {
    let bottom = Self.top + Self.plotHeight
    let xs = panel.x.ticks.map { tick in
      let x = Self.left + panel.x.position(of: tick) * Self.plotWidth
      return """
        <line class="tick" x1="\(f(x))" x2="\(f(x))" y1="\(f(Self.top))" y2="\(f(bottom))" />\
        <text x="\(f(x))" y="\(f(bottom + 17))" text-anchor="middle">\(Axis.text(tick))</text>
        """
    }
    let ys = panel.y.ticks.map { tick in
      let y = bottom - panel.y.position(of: tick) * Self.plotHeight
      return """
        <line class="tick" x1="\(f(Self.left))" x2="\(f(Self.left + Self.plotWidth))" y1="\(f(y))" y2="\(f(y))" />\
        <text x="\(f(Self.left - 6))" y="\(f(y + 4))" text-anchor="end">\(Axis.text(tick))</text>
        """
    }
    return (xs + ys).joined()
  }

  /// The means lie over all runs.
  private var curves: String {
    let runs = panel.series.flatMap { one in
      one.runs.map { "<polyline class=\"run c\(Look.colour(one.place))\" points=\"\(points($0))\" />\n" }
    }
    let means = panel.series.map { one in
      // without a second point there is no line: a dot, then
      let dot = one.mean.count == 1 ? " dot" : ""
      return "<polyline class=\"mean \(Look.classes(one.place))\(dot)\" points=\"\(points(one.mean))\" />\n"
    }
    return (runs + means).joined()
  }

  private func points(_ points: [Panel.Point]) -> String {
    let places = points.map { point in
      // what is far outside is held near, where every reader of SVG can count
      let x = min(max(panel.x.position(of: point.x), -100), 100)
      let y = min(max(panel.y.position(of: point.y), -100), 100)
      return "\(f(x * Self.plotWidth)),\(f((1 - y) * Self.plotHeight))"
    }
    return (places.count == 1 ? places + places : places).joined(separator: " ")
  }

  private func f(_ value: Double) -> String { fixed(value, 2) }
}

extension Axis {
  /// What the page's script needs to make ticks of.
  var data: String { "\(low) \(high) \(isLogarithmic ? "log" : "linear")" }
}
