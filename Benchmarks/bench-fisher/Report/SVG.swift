import FisherKit
import FisherKitToolSupport

/// The few elements that the plot is made of.
enum SVG {
  static func text(
    _ x: Double, _ y: Double, _ content: String, size: Double, anchor: String = "middle"
  ) -> String {
    #"<text x="\#(format(x))" y="\#(format(y))" font-size="\#(format(size))" text-anchor="\#(anchor)">"#
      + escaped(content) + "</text>"
  }

  static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
    #"<line class="\#(style)" x1="\#(format(x1))" y1="\#(format(y1))" x2="\#(format(x2))" y2="\#(format(y2))"/>"#
  }

  /// With a title it is a point, and the title is what a pointer over it shows.
  static func circle(
    _ x: Double, _ y: Double, _ radius: Double, _ colour: String, title: String? = nil, isNamed: Bool = false
  ) -> String {
    let start = #"<circle cx="\#(format(x))" cy="\#(format(y))" r="\#(format(radius))" fill="\#(colour)""#
    let kind = isNamed ? "point named" : "point"
    return title.map { start + #" class="\#(kind)"><title>\#(escaped($0))</title></circle>"# } ?? start + "/>"
  }
}

func format(_ number: Double) -> String { fixed(number, 1) }

/// Where an axis lies along a side of the plot.
struct PlotSide {
  let axis: Axis
  private let from: Double
  private let to: Double

  /// Logarithmic, with room for all of the values.
  init(around values: [Double], from: Double, to: Double) {
    axis = Axis("", over: values, isLogarithmic: true) ?? Axis("", over: [0.1, 100], isLogarithmic: true)!
    (self.from, self.to) = (from, to)
  }

  var low: Double { axis.low }
  var high: Double { axis.high }
  var length: Double { abs(to - from) }

  func place(_ value: Double) -> Double { from + (to - from) * axis.position(of: value) }
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
        || kernel.contains("eigen") || kernel.contains("inverse")
      {
        .solve
      } else if kernel.hasPrefix("gram") || kernel == "gemm" || kernel.contains("multiply") {
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
