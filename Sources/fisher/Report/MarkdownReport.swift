/// The summary and the tables, for a repository's own pages.
struct MarkdownReport {
  let study: Study

  var text: String {
    var text = ""
    for network in study.networks {
      text += "## \(network.name)\n\n" + Summary(network).sentences.joined(separator: " ") + "\n\n"
      text += study.tables(of: network).map(\.markdown).joined(separator: "\n") + "\n"
    }
    text += "## Runs\n\n" + study.closingTables.map(\.markdown).joined(separator: "\n")
    return text
  }
}
