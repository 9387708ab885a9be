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
