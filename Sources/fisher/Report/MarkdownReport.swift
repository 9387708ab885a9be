import FisherKitToolSupport

/// The summary and the tables, for a repository's own pages.
struct MarkdownReport {
  let study: Study
  /// The figures' files beside the text, and the network of each.
  var figures: [(network: String, path: String, title: String)] = []

  var text: String {
    var text = "# \(plain(study.heading))\n\n\(plain(study.overview))\n\n"
    for network in study.networks {
      text += "## \(plain(network.name))\n\n"
      text += Summary(network).sentences.map { "- \(plain($0))\n" }.joined() + "\n"
      for figure in figures where figure.network == network.name {
        text += "![\(plain(figure.title))](<\(figure.path)>)\n\n"
      }
      text += study.tables(of: network).map(\.markdown).joined(separator: "\n") + "\n"
    }
    text += "## Runs\n\n" + study.closingTables.map(\.markdown).joined(separator: "\n")
    return text
  }
}

extension Table {
  var markdown: String {
    func row(_ cells: [String]) -> String {
      let cells = cells.map { $0.split(whereSeparator: \.isNewline).map { plain(String($0)) }.joined(separator: "; ") }
      return "| " + cells.joined(separator: " | ") + " |\n"
    }
    let rule = heads.indices.map { $0 == 0 || isWords ? ":--" : "--:" }
    return "**\(plain(caption))**\n\n" + row(heads) + "|" + rule.joined(separator: "|") + "|\n" + rows.map(row).joined()
  }
}

/// As text of Markdown that means nothing else: no cell's end, no element, no link, no emphasis, no formula.
func plain(_ text: String) -> String {
  text.mappingScalars { scalar in
    if scalar.value < 0x20 { return " " }
    if scalar.isObeyed { return "\u{FFFD}" }
    return "\\|<&*_`~$[]".unicodeScalars.contains(scalar) ? "\\\(scalar)" : nil
  }
}
