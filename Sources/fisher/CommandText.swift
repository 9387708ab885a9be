import FisherKitToolSupport

/// The command line of this process, as a shell takes it.
func commandText() -> String {
  (["fisher"] + CommandLine.arguments.dropFirst().map(quotedWord)).joined(separator: " ")
}

func quotedWord(_ word: String) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,=+:@%".utf8)
  if !word.isEmpty, word.utf8.allSatisfy(plain.contains) { return word }
  return "'\(word.mappingScalars { $0 == "'" ? "'\\''" : nil })'"
}
