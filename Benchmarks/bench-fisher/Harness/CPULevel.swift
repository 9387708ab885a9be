import CKernels

/// The CPU levels by their names.
enum CPULevel {
  static func named(_ name: String) -> Int32? {
    (0..<fk_level_count()).first { fk_level_supported($0) != 0 && String(cString: fk_level_name($0)) == name }
  }
}
