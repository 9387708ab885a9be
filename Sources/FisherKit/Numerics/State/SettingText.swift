/// A setting in words that no two different ones share: a number in full, a value with all that it is made of, name by name.
/// Of an object only its kind is known.
func settingText(_ value: Any) -> String {
  if let value = value as? any SettingsOfItsOwn { return value.settingText }
  let (mirror, type) = (Mirror(reflecting: value), type(of: value))
  func members() -> String {
    // (what has no name of its own is called .0)
    mirror.children.map { child in
      (child.label.map { $0.hasPrefix(".") ? "" : "\($0): " } ?? "") + settingText(child.value)
    }.joined(separator: ", ")
  }
  switch mirror.displayStyle {
  case .optional: return mirror.children.first.map { settingText($0.value) } ?? "none"
  case .struct: return mirror.children.isEmpty ? "\(type)" : "\(type)(\(members()))"
  case .enum:
    guard let payload = mirror.children.first else { return "\(value)" }
    return "\(payload.label ?? "\(type)")(\(settingText(payload.value)))"
  case .tuple, .collection, .set, .dictionary: return mirror.children.isEmpty ? "none" : "(\(members()))"
  case nil: return isPlain(value) ? "\(value)" : "\(type)"
  default: return "\(type)"
  }
}

private func isPlain(_ value: Any) -> Bool {
  value is any BinaryInteger || value is any BinaryFloatingPoint || value is String || value is Bool
}

/// A value that says itself which of its members are settings.
protocol SettingsOfItsOwn {
  var settingText: String { get }
}
