import Foundation

/// The few elements that the plot is made of.
enum SVG {
  static func text(
    _ x: Double, _ y: Double, _ content: String, size: Double, anchor: String = "middle"
  ) -> String {
    #"<text x="\#(format(x))" y="\#(format(y))" font-size="\#(format(size))" text-anchor="\#(anchor)">"#
      + escape(content) + "</text>"
  }

  static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
    #"<line class="\#(style)" x1="\#(format(x1))" y1="\#(format(y1))" x2="\#(format(x2))" y2="\#(format(y2))"/>"#
  }

  /// With a title it is a point, and the title is what a pointer over it shows.
  static func circle(_ x: Double, _ y: Double, _ radius: Double, _ colour: String, title: String? = nil) -> String {
    let start = #"<circle cx="\#(format(x))" cy="\#(format(y))" r="\#(format(radius))" fill="\#(colour)""#
    return title.map { start + #" class="point"><title>\#(escape($0))</title></circle>"# } ?? start + "/>"
  }

  static func escape(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}

func format(_ number: Double) -> String { String(format: "%.1f", number) }

/// Powers of ten along a side of the plot.
struct LogarithmicAxis {
  let low: Double
  let high: Double
  private let from: Double
  private let to: Double

  /// With room for all of the values.
  init(around values: [Double], from: Double, to: Double) {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    low = (positive.min() ?? 0.1) / 1.6
    high = (positive.max() ?? 100) * 1.6
    (self.from, self.to) = (from, to)
  }

  var length: Double { abs(to - from) }

  func place(_ value: Double) -> Double { from + (to - from) * log(value / low) / log(high / low) }

  var ticks: [Double] {
    let (first, last) = (Int(log10(low).rounded(.up)), Int(log10(high).rounded(.down)))
    return first <= last ? (first...last).map { pow(10, Double($0)) } : []
  }

  static func label(_ tick: Double) -> String { String(format: "%g", tick) }
}

/// The kinds of kernels, each with a colour that shows on white and on black.
enum KernelFamily: String, CaseIterable {
  case gram = "Gram matrices and products"
  case solve = "factors and solves"
  case softmax = "softmax and two-layer blocks"
  case activation = "activations"
  case other = "batches and updates"

  init(kernel: String) {
    self =
      if kernel.contains("cholesky") || kernel.contains("solve") || kernel.contains("kernel")
        || kernel.contains("eigen")
      {
        .solve
      } else if kernel.hasPrefix("gram") || kernel == "gemm" {
        .gram
      } else if kernel.hasPrefix("softmax") || kernel.hasPrefix("two_layer") {
        .softmax
      } else if kernel.hasPrefix("activation") {
        .activation
      } else {
        .other
      }
  }

  var colour: String {
    switch self {
    case .gram: "#3b82f6"
    case .solve: "#ea7a0b"
    case .softmax: "#16a34a"
    case .activation: "#a855f7"
    case .other: "#ef4466"
    }
  }
}
