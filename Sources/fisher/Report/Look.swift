/// How the curves of one optimizer are told from the others': by colour and by dashes, so that neither has to be seen.
enum Look {
  /// After Okabe and Ito, told apart with any kind of colour vision; darker where white would swallow them.
  static let light = ["#0072B2", "#D55E00", "#007F5F", "#B0508A", "#7A6A00", "#3A8FBF", "#000000"]
  static let dark = ["#56B4E9", "#FF9248", "#2BD3A4", "#E79CC6", "#F0E442", "#B5DDF5", "#FFFFFF"]
  static let dashes = ["none", "8 4", "2 4", "10 4 2 4", "16 5", "6 3 2 3 2 3", "1 3"]

  static func colour(_ place: Int) -> Int { place % light.count }

  /// Optimizers of the same colour have different dashes.
  static func dash(_ place: Int) -> Int { (place + place / light.count) % dashes.count }

  static func classes(_ place: Int) -> String { "c\(colour(place)) d\(dash(place))" }

  /// The rules for curves, whatever the colours.
  static var dashRules: String {
    dashes.enumerated().map { ".mean.d\($0) { stroke-dasharray: \($1); }" }.joined(separator: "\n")
  }

  /// For a picture by itself: white, and colours that depend on nothing else.
  static var standalone: String {
    let colours = light.enumerated().map { ".c\($0) { stroke: \($1); }" }.joined(separator: "\n")
    return """
      .paper { fill: #FFFFFF; }
      text { font: 13px Helvetica, Arial, sans-serif; fill: #000000; }
      .panel-title { font-weight: bold; }
      .frame { fill: none; stroke: #333333; }
      .tick { stroke: #DDDDDD; }
      .run, .mean { fill: none; stroke-linejoin: round; stroke-linecap: butt; vector-effect: non-scaling-stroke; }
      .run { stroke-width: 1; stroke-opacity: 0.3; }
      .mean { stroke-width: 2.5; }
      .dot { stroke-linecap: round; stroke-width: 6; }
      \(colours)
      \(dashRules)
      """
  }

  /// For a picture on a screen: dark where its reader's is.
  static var adaptive: String {
    let colours = dark.enumerated().map { "  .c\($0) { stroke: \($1); }" }.joined(separator: "\n")
    return """
      \(standalone)
      @media (prefers-color-scheme: dark) {
        .paper { fill: #16191D; }
        text { fill: #E6E6E6; }
        .frame { stroke: #AAAAAA; }
        .tick { stroke: #3A3F45; }
      \(colours)
      }
      """
  }
}
