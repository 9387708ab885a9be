import Foundation

/// Has the C library give memory back to the system when it is freed: what a refresh makes in passing is then not still
/// there, in pieces that nothing fits into, when the next one makes something larger. glibc keeps pieces of up to 32 MB
/// otherwise, and a plan of what is held at a time falls short by as much. A step allocates nothing, and is as fast.
func returnFreedMemory() {
  // (Swift's Glibc has no malloc.h, and other C libraries have no such function, or need)
  typealias MallOpt = @convention(c) (_ parameter: Int32, _ value: Int32) -> Int32
  guard let symbol = dlsym(nil, "mallopt") else { return }
  let mallopt = unsafeBitCast(symbol, to: MallOpt.self)
  let mmapThreshold: Int32 = -3
  _ = mallopt(mmapThreshold, 1 << 20)
}
