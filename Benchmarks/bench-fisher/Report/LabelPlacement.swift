import Foundation

/// Puts a label beside each of some points, where it covers no other label, no point and nothing else that is taken: the
/// nearest such place, or the one that covers least.
enum LabelPlacement {
  struct Label {
    /// The middle of the text.
    var x: Double
    var y: Double
    /// Where a line from its point ends; nil where none is needed.
    var leader: (x: Double, y: Double)?
  }

  struct Box {
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

  private static let radii = [9.0, 14, 20, 28, 38, 50, 64, 80, 100, 124, 150]
  private static let directions = 24
  /// Half of a character's height and width, of text of size 10.
  private static let halfHeight = 6.0
  private static let halfCharacter = 3.1

  /// - Parameters:
  ///   - points: those that get a label.
  ///   - taken: all points, and what else no label should cover.
  static func place(
    _ points: [(text: String, x: Double, y: Double)], beside taken: [Box], width: Double, height: Double
  ) -> [Label] {
    var taken = taken
    return points.map { point in
      let box = Box(
        x: point.x, y: point.y, halfWidth: halfCharacter * Double(point.text.count) + 1, halfHeight: halfHeight)
      var best = (box: box, cost: Double.infinity, radius: 0.0)
      search: for radius in radii {
        for step in 0..<directions {
          let angle = 2 * Double.pi * Double(step) / Double(directions)
          var candidate = box
          candidate.x += (radius + box.halfWidth) * cos(angle)
          candidate.y += (radius + box.halfHeight - 3) * sin(angle)
          let across = candidate.halfWidth + 2
          guard candidate.x >= across, candidate.x <= width - across, (8...height - 8).contains(candidate.y) else {
            continue
          }
          // (a line that is longer covers more)
          let cost = taken.reduce(radius / 50) { $0 + $1.overlap(candidate) }
          if cost < best.cost { best = (candidate, cost, radius) }
        }
        if best.cost <= radius / 50 { break search }
      }
      taken.append(best.box)
      return Label(x: best.box.x, y: best.box.y, leader: leader(best.box, to: point, radius: best.radius))
    }
  }

  /// To the nearest place at the edge of the label's box.
  private static func leader(
    _ box: Box, to point: (text: String, x: Double, y: Double), radius: Double
  ) -> (x: Double, y: Double)? {
    guard radius > radii[0] else { return nil }
    return (
      min(max(point.x, box.x - box.halfWidth), box.x + box.halfWidth),
      min(max(point.y, box.y - box.halfHeight), box.y + box.halfHeight)
    )
  }
}
