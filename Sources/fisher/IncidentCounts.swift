import FisherKit

/// What a run survived, counted by what was done about it.
struct IncidentCounts {
  private var counts: [Incident.Remedy: Int] = [:]

  /// - Returns: how many of this kind there have been.
  mutating func add(_ incident: Incident) -> Int {
    counts[incident.remedy, default: 0] += 1
    return counts[incident.remedy, default: 0]
  }

  /// A line for each kind, the mildest first; none where nothing happened.
  var summary: [String] {
    Incident.Remedy.allCases.compactMap { remedy in counts[remedy].map { "survived: \(remedy.rawValue), \($0) times" } }
  }
}
