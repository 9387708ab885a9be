/// The summary and the tables, for a repository's own pages.
struct MarkdownReport {
  let study: Study

  var text: String {
    var text = ""
    for network in study.networks {
      text += "## \(plain(network.name))\n\n" + plain(Summary(network).sentences.joined(separator: " ")) + "\n\n"
      text += study.tables(of: network).map(\.markdown).joined(separator: "\n") + "\n"
    }
    text += "## Runs\n\n" + study.closingTables.map(\.markdown).joined(separator: "\n")
    return text
  }
}

extension Table {
  var markdown: String {
    func row(_ cells: [String]) -> String {
      let cells = cells.map { $0.split(separator: "\n").map { plain(String($0)) }.joined(separator: "; ") }
      return "| " + cells.joined(separator: " | ") + " |\n"
    }
    let rule = heads.indices.map { $0 == 0 || isWords ? ":--" : "--:" }
    return "**\(plain(caption))**\n\n" + row(heads) + "|" + rule.joined(separator: "|") + "|\n" + rows.map(row).joined()
  }
}

/// As text of Markdown that means nothing else: no cell's end, no element, no emphasis.
func plain(_ text: String) -> String {
  text.map { "\\|<*`".contains($0) ? "\\\($0)" : String($0) }.joined()
}
