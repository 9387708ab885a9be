import Foundation

/// The bytes that can be had without swapping and without being killed: the least of what Linux estimates, of what the
/// process's control groups leave and of what its own limits leave; `nil` where nothing of that is known. A dozen small
/// files are read for it: it is meant for allocations that take longer than that.
package func availableMemory() -> Int? {
  let system = fileText("/proc/meminfo").flatMap(systemMemory)
  let groups = fileText("/proc/self/cgroup").flatMap { ControlGroup().availableMemory(membership: $0) }
  return [system, groups, memoryWithinLimits()].compactMap { $0 }.min()
}

/// What the process's own limits leave (`ulimit -v` and `ulimit -d`); `nil` where it has none.
package func memoryWithinLimits() -> Int? {
  var (space, data) = (rlimit(), rlimit())
  #if os(Linux)
    getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space)
    getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &data)
  #else
    getrlimit(RLIMIT_AS, &space)
    getrlimit(RLIMIT_DATA, &data)
  #endif
  let limits = [space.rlim_cur, data.rlim_cur].map { $0 >= rlim_t(Int.max) ? nil : Int($0) }
  guard limits.contains(where: { $0 != nil }), let statm = fileText("/proc/self/statm") else { return nil }
  return memoryWithinLimits(
    addressSpace: limits[0], data: limits[1], statm: statm, pageSize: Int(sysconf(Int32(_SC_PAGESIZE))))
}

/// - Parameter text: that of /proc/meminfo.
func systemMemory(_ text: String) -> Int? {
  for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
    return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }
  return nil
}

/// Small things are allocated beside large ones, and Swift ends the process where it cannot: some is kept back for them.
/// - Parameter statm: the text of /proc/self/statm: pages of address space first, of data and stack sixth.
func memoryWithinLimits(addressSpace: Int?, data: Int?, statm: String, pageSize: Int) -> Int? {
  let pages = statm.split(separator: " ").map { Int($0.trimmingCharacters(in: .newlines)) ?? 0 }
  guard pages.count >= 6 else { return nil }
  let rooms = [addressSpace.map { $0 - pages[0] * pageSize }, data.map { $0 - pages[5] * pageSize }]
  return rooms.compactMap { $0 }.min().map { max(0, $0 - keptBackBytes) }
}

private let keptBackBytes = 8 << 20

private func fileText(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
