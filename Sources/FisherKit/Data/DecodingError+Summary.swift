import Foundation

extension DecodingError {
  /// In a few words.
  /// - Parameter data: the JSON.
  package func summary(of data: Data) -> String {
    switch self {
    case .keyNotFound(let key, let context):
      "no \(key.stringValue)" + place(context)
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "a value of another kind" + place(context)
    case .dataCorrupted(let context):
      // (what is JSON has a number beyond what it counts)
      ((try? JSONSerialization.jsonObject(with: data)) == nil ? "no JSON" : "a number out of range") + place(context)
    @unknown default: "something else"
    }
  }

  private func place(_ context: Context) -> String {
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
    return path.isEmpty ? "" : " at \(path.joined(separator: "."))"
  }
}
