import Testing

/// A share of what scripts/damping-sweep tries: every metric, with next to no damping and with much of it.
@Suite struct DampingSweepTests {
  @Test(arguments: ["auto", "exact", "projected", "kernel", "iterative", "diagonal", "shared", "average", "paper"])
  func endsFinite(metric: String) throws {
    for (damping, rule) in [("1e-12", "absolute"), ("1e-12", "relative"), ("1", "relative")] {
      let folder = try Scratch()
      defer { folder.remove() }
      let result = try Tool.run([
        "train", "--metric", metric, "--damping", damping, "--damping-rule", rule, "--shape", "64,8,10", "--epochs",
        "1", "--batch", "200", "--quiet", "--log", folder.file("log"),
      ])
      #expect(result.status == 0 && result.errors.isEmpty, "\(metric), \(rule) \(damping): \(result)")
      let losses = try LogLines(path: folder.file("log")).numbers.compactMap { $0["train_loss"] ?? $0["test_loss"] }
      #expect(losses.count == 2 && losses.allSatisfy { $0 < 5 }, "\(metric), \(rule) \(damping): \(losses)")
    }
  }
}
