/// As text or an attribute's value of HTML and XML. Control characters have no place in either.
package func escaped(_ text: String) -> String {
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
  package func mappingScalars(_ transform: (Unicode.Scalar) -> String?) -> String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if let new = transform(scalar) { result.append(contentsOf: new.unicodeScalars) } else { result.append(scalar) }
    }
    return String(result)
  }
}
