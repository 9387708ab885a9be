import FisherKitToolSupport

extension Table {
  /// In a box of its own that scrolls, for narrow screens; it can be focused, so that it scrolls by keys too.
  var html: String {
    let heads = heads.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
    let rows = rows.map { row in
      "<tr>"
        + row.enumerated().map { index, cell in
          let lines = cell.split(whereSeparator: \.isNewline).map { escaped(String($0)) }.joined(separator: "<br />")
          return index == 0 ? "<th scope=\"row\">\(lines)</th>" : "<td>\(lines)</td>"
        }.joined() + "</tr>\n"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(escaped(caption))">
      <table class="\(kind)\(isWords ? " words" : "")">
      <caption><span>\(escaped(caption))</span></caption>
      <thead><tr>\(heads)</tr></thead>
      <tbody>
      \(rows.joined())</tbody>
      </table>
      </div>

      """
  }
}
