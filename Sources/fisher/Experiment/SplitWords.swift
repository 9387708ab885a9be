/// The words that a shell makes of a line, where nothing stands for anything else: spaces, tabs and ends of lines part
/// them, single quotes keep everything, double quotes everything but `\\` before `"`, `\\`, `$` and a backquote, and a
/// backslash elsewhere keeps the sign behind it.
/// - Throws: where a quote has no end, or the last backslash nothing to keep.
func splitWords(_ text: String) throws(GridError) -> [String] {
  var words: [String] = []
  var word: String.UnicodeScalarView?
  var quote: Unicode.Scalar?
  var isEscaped = false
  for scalar in text.unicodeScalars {
    if isEscaped {
      isEscaped = false
      // (a line that is continued)
      if scalar == "\n" { continue }
      if quote != nil, !["\"", "\\", "$", "`"].contains(scalar) { word?.append("\\") }
      word = word ?? .init()
      word?.append(scalar)
    } else if scalar == "\\", quote != "'" {
      isEscaped = true
    } else if scalar == quote {
      quote = nil
    } else if quote == nil, scalar == "'" || scalar == "\"" {
      quote = scalar
      word = word ?? .init()
    } else if quote == nil, [" ", "\t", "\n", "\r"].contains(scalar) {
      if let word { words.append(String(word)) }
      word = nil
    } else {
      word = word ?? .init()
      word?.append(scalar)
    }
  }
  guard quote == nil else { throw GridError(expected: "a closing \(quote!) in the flags", found: text) }
  guard !isEscaped else { throw GridError(expected: "something behind the last \\ of the flags", found: text) }
  if let word { words.append(String(word)) }
  return words
}
