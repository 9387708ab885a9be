import Foundation

/// Puts a label beside each point, where it covers no other label and no point: the nearest such place, or the one that
/// covers least.
enum LabelPlacement {
  struct Label {
    var x: Double
    var y: Double
    /// So far from its point that a line should lead there.
    var isFar: Bool
  }

  private struct Box {
    var x: Double
    var y: Double
    var halfWidth: Double
    var halfHeight: Double

    func overlap(_ other: Box) -> Double {
      let width = min(x + halfWidth, other.x + other.halfWidth) - max(x - halfWidth, other.x - other.halfWidth)
      let height = min(y + halfHeight, other.y + other.halfHeight) - max(y - halfHeight, other.y - other.halfHeight)
      return max(0, width) * max(0, height)
    }
  }

  private static let radii = [10.0, 14, 19, 25, 32, 40, 50, 62]
  private static let directions = 16

  static func place(_ points: [(text: String, x: Double, y: Double)], width: Double, height: Double) -> [Label] {
    var taken = points.map { Box(x: $0.x, y: $0.y, halfWidth: 4, halfHeight: 4) }
    return points.map { point in
      let box = Box(x: point.x, y: point.y, halfWidth: 3.2 * Double(point.text.count) + 0.5, halfHeight: 5)
      var best = (box: box, cost: Double.infinity, radius: 0.0)
      search: for radius in radii {
        for step in 0..<directions {
          let angle = 2 * Double.pi * (Double(step) / Double(directions) - 0.125)
          var candidate = box
          candidate.x += radius * cos(angle)
          candidate.y += radius * sin(angle)
          guard (4...width - 4).contains(candidate.x), (4...height - 4).contains(candidate.y) else { continue }
          let cost = taken.reduce(0) { $0 + $1.overlap(candidate) }
          if cost < best.cost { best = (candidate, cost, radius) }
          if cost == 0 { break search }
        }
      }
      taken.append(best.box)
      return Label(x: best.box.x, y: best.box.y, isFar: best.radius > 14)
    }
  }
}
