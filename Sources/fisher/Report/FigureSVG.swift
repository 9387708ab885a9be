import FisherKitToolSupport
import Foundation

/// A network's figure as a file by itself, for papers.
struct FigureSVG {
  var network: String
  /// What it shows, in a line.
  var title: String
  /// The name of the file, without its extension.
  var name: String
  var text: String

  /// Two of each network, numbered in their order: by epochs with the second half below, and by seconds.
  static func all(_ study: Study) -> [FigureSVG] {
    study.networks.enumerated().flatMap { index, network -> [FigureSVG] in
      let figure = NetworkFigure(network)
      let name = "figure-\(index + 1)-\(fileName(network.name))"
      return [("epochs", figure.whole + figure.zoomed, 2), ("seconds", figure.bySeconds, 1)].compactMap {
        suffix, panels, columns in
        panels.isEmpty
          ? nil
          : FigureSVG(
            network: network.name,
            title: "Figure \(index + 1), \(network.name): \(panels.map(\.heading).joined(separator: ", "))",
            name: "\(name)-\(suffix)", text: draw(panels, columns: columns, title: network.name, names: figure.names))
      }
    }
  }

  private static func fileName(_ name: String) -> String {
    let kept = name.lowercased().unicodeScalars.map { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
        ? Character(scalar) : "-"
    }
    let words = String(kept).split(separator: "-").joined(separator: "-")
    return words.isEmpty ? "network" : words
  }

  /// - Parameter faint: places of which there are single runs alone.
  static func draw(
    _ panels: [Panel], columns: Int, title: String, names: [(place: Int, name: String)], faint: Set<Int> = [],
    look: String = Look.standalone
  ) -> String {
    let legend = Legend(names: names, faint: faint, width: PanelSVG.width * Double(columns))
    let rows = (panels.count + columns - 1) / columns
    let (width, height) = (PanelSVG.width * Double(columns), PanelSVG.height * Double(rows) + legend.height)
    let drawn = panels.enumerated().map { index, panel in
      let x = PanelSVG.width * Double(index % columns)
      let y = PanelSVG.height * Double(index / columns) + legend.height
      return "<g transform=\"translate(\(x) \(y))\">\n\(PanelSVG(panel: panel).content)</g>\n"
    }
    let description = panels.map { "\($0.title). \($0.description)" }.joined(separator: " ")
    return """
      <svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" \
      width="\(Int(width))" height="\(Int(height))" viewBox="0 0 \(Int(width)) \(Int(height))">
      <title id="title">\(escaped(title))</title>
      <desc id="description">\(escaped(description))</desc>
      <style>
      \(look)
      </style>
      <rect class="paper" width="100%" height="100%" />
      \(legend.svg)\(drawn.joined())</svg>

      """
  }
}

/// The names of curves in rows, as wide as letters may be.
private struct Legend {
  private var places: [(x: Double, y: Double, place: Int, name: String)] = []
  private(set) var height = 0.0
  private let faint: Set<Int>

  init(names: [(place: Int, name: String)], faint: Set<Int>, width: Double) {
    self.faint = faint
    var (x, y) = (PanelSVG.left, 22.0)
    for (place, name) in names {
      let needed = 70 + 8 * Double(name.count)
      if x > PanelSVG.left, x + needed > width { (x, y) = (PanelSVG.left, y + 22) }
      places.append((x, y, place, name))
      x += needed
    }
    height = y + 12
  }

  var svg: String {
    places.map { x, y, place, name in
      """
      <line class="\(faint.contains(place) ? "run" : "mean") \(Look.classes(place))" x1="\(x)" x2="\(x + 42)" y1="\(y - 4)" y2="\(y - 4)" />\
      <text x="\(x + 48)" y="\(y)">\(escaped(name))</text>

      """
    }.joined()
  }
}
