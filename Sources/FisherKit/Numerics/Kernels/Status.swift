internal import CKernels

/// Turns a status into a typed throw. Shapes are checked before a kernel is called, so an invalid argument here is a
/// mistake in this library.
func check(_ status: fk_status, _ what: @autoclosure () -> String) throws(FisherError) {
  if status == FK_OK { return }
  if status == FK_SIZE_OVERFLOW { throw .sizeOverflow(what: what()) }
  fatalError("\(what()): kernel status \(status.rawValue)")
}

/// The same for kernels whose sizes are known to be good.
func check(_ status: fk_status) {
  demand(status == FK_OK, "kernel status \(status.rawValue)")
}

/// A work size, which is -1 when it cannot be addressed.
func workSize(_ size: Int, _ what: @autoclosure () -> String) throws(FisherError) -> Int {
  guard size >= 0 else { throw .sizeOverflow(what: what()) }
  return size
}
