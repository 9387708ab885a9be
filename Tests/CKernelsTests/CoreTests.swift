import CKernels
import Foundation
import Testing

/// CPU quotas of control groups, read from folders made for it.
@Suite struct CoreTests {
  @Test(
    arguments: [
      ("max 100000", 0), ("-1 100000", 0), ("", 0), ("nonsense", 0), ("100000", 0), ("100000 0", 0),
      ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("100000 100000\n", 1), ("250000 50000", 5),
      ("99999999999 1", 0),
    ] as [(String, Int32)]) func quotas(text: String, cores: Int32)
  {
    #expect(fk_quota_cores(text) == cores, "\(text)")
  }

  /// The least along the way up counts, in either version, also where only the root is to be seen.
  @Test func groups() throws {
    let manager = FileManager.default
    let root = manager.temporaryDirectory.appendingPathComponent("groups-\(UUID().uuidString)").path
    defer { try? manager.removeItem(atPath: root) }
    for (file, text) in [
      ("a/cpu.max", "300000 100000"), ("a/b/cpu.max", "max 100000"), ("a/c/cpu.max", "200000 100000"),
      ("cpu/d/cpu.cfs_quota_us", "400000\n"), ("cpu/d/cpu.cfs_period_us", "100000\n"),
      ("unified/e/cpu.max", "600000 100000"),
    ] {
      let path = "\(root)/\(file)"
      try manager.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    for (membership, cores) in [
      ("0::/a/b\n", 3), ("0::/a/c/gone", 2), ("0::/", 0), ("4:cpu,cpuacct:/d\n0::/\n", 4), ("", 0), ("x\n:\n::", 0),
      ("0::/e\n", 6), ("5:cpu:/d\n0::/a/b\n", 3), ("0::/host/only\n", 0),
    ] as [(String, Int32)] {
      #expect(fk_group_cores(root, membership) == cores, "\(membership)")
    }
    #expect(fk_group_cores("\(root)/a", "0::/host/only\n") == 3)
    #expect(fk_group_cores(root, "0::/" + String(repeating: "x", count: 9000)) == 0)
  }
}
