import ToolSupport

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

/// As text or an attribute's value of HTML and XML. Control characters have no place in either.
func escaped(_ text: String) -> String {
  text.mappingScalars { scalar in
    switch scalar {
    case "&": "&amp;"
    case "<": "&lt;"
    case ">": "&gt;"
    case "\"": "&quot;"
    case "\t", "\n": " "
    case _ where scalar.isObeyed || scalar.value == 0xFFFE || scalar.value == 0xFFFF: "\u{FFFD}"
    default: nil
    }
  }
}

extension String {
  /// Scalar by scalar, where characters would hide a sign that a combining one follows; `nil` leaves it as it is.
  func mappingScalars(_ transform: (Unicode.Scalar) -> String?) -> String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if let new = transform(scalar) { result.append(contentsOf: new.unicodeScalars) } else { result.append(scalar) }
    }
    return String(result)
  }
}
