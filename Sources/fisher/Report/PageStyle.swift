/// The page's looks: light or dark as its reader has it, plain on paper.
enum PageStyle {
  static var css: String {
    """
    :root {
      color-scheme: light dark;
      \(colours(Look.light)) --ground: #FFFFFF; --ink: #1B1B1B; --quiet: #555555; --line: #CCCCCC; --grid: #E4E4E4;
      --head: #F2F4F6; --link: #00539B;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        \(colours(Look.dark)) --ground: #14171A; --ink: #E8E8E8; --quiet: #ABB2B9; --line: #4A5157; --grid: #2C3238;
        --head: #20262B; --link: #8CC8FF;
      }
    }
    \(rules)
    \(Look.dashRules)
    \(Look.light.indices.map { ".c\($0) { stroke: var(--c\($0)); }" }.joined(separator: "\n"))
    \(narrow)
    \(print)
    """
  }

  private static func colours(_ colours: [String]) -> String {
    colours.enumerated().map { "--c\($0): \($1);" }.joined(separator: " ")
  }

  private static let rules = """
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 1120px; padding: 1rem; background: var(--ground); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: break-word; }
    a { color: var(--link); }
    h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
    .skip { position: absolute; left: -100rem; } .skip:focus { position: static; }
    :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
    nav ul, .legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; }
    .legend svg { width: 46px; height: 12px; vertical-align: middle; margin-right: .4rem; }
    figure { margin: 1rem 0; }
    figcaption { color: var(--quiet); font-size: .95rem; }
    .panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
    .panel svg.whole { display: block; width: 100%; height: auto; }
    .panel svg.zoomed { touch-action: none; user-select: none; -webkit-user-select: none; cursor: grab; }
    .panel text { font-size: 13px; fill: var(--ink); }
    .panel .panel-title { font-weight: 600; }
    .buttons { display: flex; gap: .3rem; justify-content: flex-end; }
    button { min-width: 2.2rem; padding: .15rem .6rem; font: inherit; color: var(--ink); background: var(--head);
      border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
    .frame { fill: none; stroke: var(--quiet); } .tick { stroke: var(--grid); }
    .run, .mean { fill: none; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
    .run { stroke-width: 1; stroke-opacity: .35; } .mean { stroke-width: 2.5; }
    .dot { stroke-linecap: round; stroke-width: 6; }
    .scroll { overflow-x: auto; margin: 1.2rem 0; }
    table { border-collapse: collapse; min-width: min(100%, 34rem); font-size: .9rem;
      font-variant-numeric: tabular-nums; }
    caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
    caption span { display: inline-block; position: sticky; left: 0; max-width: calc(100vw - 2.5rem); }
    th:first-child { text-align: left; }
    th, td { border: 1px solid var(--line); padding: .3rem .6rem; vertical-align: top; text-align: right; }
    td { white-space: nowrap; }
    thead th { background: var(--head); vertical-align: bottom; } tbody th, .words th, .words td { text-align: left; }
    .failures td, .experiments td, .commands td { white-space: normal; min-width: 4rem; }
    .experiments td:nth-child(2), .commands td:nth-child(3), .failures td:nth-child(6) { min-width: 22rem;
      overflow-wrap: anywhere; }
    tbody th { font-weight: 600; }
    """

  private static let narrow = """
    @media (max-width: 700px) {
      body { padding: .7rem; }
      .panels { grid-template-columns: minmax(0, 1fr); }
      .panel text { font-size: 16px; }
    }
    """

  /// White paper whatever the screen is, nothing to press, and tables whole.
  private static var print: String {
    """
    @media print {
      :root { color-scheme: light; \(colours(Look.light)) --ground: #FFFFFF; --ink: #000000; --quiet: #333333;
        --line: #999999; --grid: #DDDDDD; --head: #FFFFFF; --link: #000000; }
      body { max-width: none; padding: 0; font-size: 11px; }
      .buttons, .skip, nav { display: none; }
      .panels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
      .panel text { font-size: 13px; }
      .panel, tr { break-inside: avoid; }
      h2, caption { break-after: avoid; }
      caption span { max-width: none; position: static; }
      .scroll { overflow: visible; }
      table { font-size: 9px; width: 100%; }
      th, td { padding: .15rem .3rem; }
      td { white-space: normal; }
      .experiments td:nth-child(2), .commands td:nth-child(3), .failures td:nth-child(6) { min-width: 0; }
      .experiments td, .failures td, .commands td { min-width: 0; }
    }
    """
  }
}
