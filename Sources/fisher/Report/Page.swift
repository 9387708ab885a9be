import FisherKitToolSupport

/// The report as one HTML file, which asks nothing of any server.
struct Page {
  let study: Study

  func html() throws -> String {
    // well-formed XML too, so that more than browsers can read it
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>\(escaped(study.heading))</title>
      <link rel="icon" href="data:," />
      <style>
      \(PageStyle.css)
      </style>
      </head>
      <body>
      <a class="skip" href="#main">Skip to the results</a>
      <header>
      <h1>\(escaped(study.heading))</h1>
      <p>\(escaped(study.overview))</p>
      <nav aria-label="Contents"><ul>\(contents)</ul></nav>
      </header>
      <main id="main" tabindex="-1">
      \(study.networks.enumerated().map(section).joined())\(closing)</main>
      <script type="application/json" id="runs">\(try FigureData(study).json())</script>
      <script>
      \(PageScript.javaScript)
      </script>
      </body>
      </html>

      """
  }

  private var contents: String {
    let networks = study.networks.enumerated().map {
      "<li><a href=\"#network-\($0)\">\(escaped($1.name))</a></li>"
    }
    return networks.joined() + "<li><a href=\"#made\">How it was made</a></li>"
  }

  private func section(_ index: Int, _ network: Study.Network) -> String {
    let figure = NetworkFigure(network)
    return """
      <section id="network-\(index)" aria-labelledby="heading-\(index)">
      <h2 id="heading-\(index)">\(escaped(network.name))</h2>
      <ul class="summary">
      \(Summary(network).sentences.map { "<li>\(escaped($0))</li>\n" }.joined())</ul>
      \(draw(figure, index))\(study.tables(of: network).map(\.html).joined())</section>

      """
  }

  private func draw(_ figure: NetworkFigure, _ index: Int) -> String {
    let panels = figure.whole + figure.zoomed + figure.bySeconds
    if panels.isEmpty { return "" }
    let legend = figure.names.map { place, name in
      """
      <li><svg viewBox="0 0 46 12" aria-hidden="true"><line class="mean \(Look.classes(place))" x1="1" x2="45" y1="6" \
      y2="6" /></svg>\(escaped(name))</li>
      """
    }
    let drawn = panels.enumerated().map { number, panel in
      let id = "panel-\(index)-\(number)"
      return """
        <div class="panel">
        <svg class="whole" role="img" aria-labelledby="\(id)-title \(id)-description" data-x="\(panel.x.data)" \
        data-y="\(panel.y.data)" viewBox="0 0 \(Int(PanelSVG.width)) \(Int(PanelSVG.height))">
        <title id="\(id)-title">\(escaped(panel.title))</title>
        <desc id="\(id)-description">\(escaped(panel.description))</desc>
        \(PanelSVG(panel: panel).content)</svg>
        </div>

        """
    }
    let below = figure.zoomed.isEmpty ? "" : "Below each by epoch: the second half of the epochs. "
    return """
      <figure>
      <figcaption>Figure \(index + 1). Each run at the chosen rate is drawn faintly, the mean over those that did not fail boldly. \
      \(below)Panels are zoomed and moved by their buttons; one that is zoomed is also dragged. With the \
      focus on it, arrow keys move it, + and − zoom, and 0 resets it.</figcaption>
      <ul class="legend" aria-label="Optimizers">\(legend.joined())</ul>
      <div class="panels">
      \(drawn.joined())</div>
      </figure>

      """
  }

  private var closing: String {
    """
    <section id="made" aria-labelledby="heading-made">
    <h2 id="heading-made">How it was made</h2>
    \(study.closingTables.map(\.html).joined())</section>

    """
  }
}
