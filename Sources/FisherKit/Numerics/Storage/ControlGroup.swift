import Foundation

/// The memory limits of the control groups that a process is in, where Linux shows them as files.
struct ControlGroup {
  /// Where the hierarchies are mounted, "/sys/fs/cgroup" unless in a test.
  var root = "/sys/fs/cgroup"

  /// The bytes that the groups of a process, and those that they are in, leave; `nil` where none has a limit.
  /// - Parameter membership: the text of /proc/self/cgroup.
  func availableMemory(membership: String) -> Int? {
    Self.places(membership: membership).compactMap { place in
      let folder = root + place
      let files = Self.files.first { FileManager.default.fileExists(atPath: folder + $0.limit) }
      guard let files, let limit = text(folder + files.limit), let usage = text(folder + files.usage) else {
        return nil
      }
      return Self.room(
        limit: limit, usage: usage, statistics: text(folder + "/memory.stat") ?? "", inactive: files.inactive)
    }.min()
  }

  private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  /// Of version 2, and of version 1.
  private static let files = [
    (limit: "/memory.max", usage: "/memory.current", inactive: "inactive_file"),
    (limit: "/memory.limit_in_bytes", usage: "/memory.usage_in_bytes", inactive: "total_inactive_file"),
  ]

  /// The folders, below the root, of the groups and of all that they are in. In a container the path may be that of the
  /// host, of which only the last folder is to be seen, as the root.
  static func places(membership: String) -> [String] {
    var places: [String] = []
    for line in membership.split(separator: "\n") {
      // hierarchy:controllers:path
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let mounts: [String]
      if parts[1].isEmpty {
        mounts = ["", "/unified"]
      } else if parts[1].split(separator: ",").contains("memory") {
        mounts = ["/memory", "/" + parts[1]]
      } else {
        continue
      }
      let folders = parts[2].split(separator: "/")
      for mount in Set(mounts) {
        places += (0...folders.count).map { mount + folders.prefix($0).map { "/" + $0 }.joined() }
      }
    }
    return places
  }

  /// What a group leaves. Pages of files that nobody uses are given back before anything fails.
  static func room(limit: String, usage: String, statistics: String, inactive: String) -> Int? {
    func number(_ text: some StringProtocol) -> Int? { Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) }
    // ("max" in version 2, a number near 2⁶³ in version 1)
    guard let limit = number(limit), limit < 1 << 60, let usage = number(usage) else { return nil }
    let files = statistics.split(separator: "\n").first { $0.hasPrefix(inactive + " ") }
      .flatMap { number($0.dropFirst(inactive.count)) }
    return max(0, limit - max(0, usage - (files ?? 0)))
  }
}
