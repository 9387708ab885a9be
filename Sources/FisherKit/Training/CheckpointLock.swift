import Foundation

/// A run's own hold on a folder of checkpoints, as long as this object lives; it ends with the process, however that ends.
public final class CheckpointLock {
  private let descriptor: Int32

  fileprivate init(_ folder: String) throws(OutputError) {
    // (a file beside the checkpoints that stays: to take it away would be to take it from whoever has just opened it)
    let path = "\(folder)/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw OutputError(path, expected: "a file that can be written", errno: errno) }
    // (where a file system has no locks, nobody else gets one either)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      close(descriptor)
      throw OutputError(
        folder, expected: "a folder that no other run writes its checkpoints to", found: "one that a run has",
        cause: .unusablePath)
    }
  }

  deinit { close(descriptor) }
}

extension CheckpointFolder {
  /// Keeps other runs out of the folder, where they ask for this too.
  /// - Throws: ``OutputError`` where another run has it.
  public func lock() throws(OutputError) -> CheckpointLock { try CheckpointLock(path) }
}
