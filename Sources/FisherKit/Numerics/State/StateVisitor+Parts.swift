extension StateVisitor {
  /// An object that is a part of this one: what it holds is named behind its name.
  public func child(_ name: String, _ child: some State) throws {
    try enter(name) { try child.visit(self) }
  }

  /// A value that is a part of this one.
  public func value<Value: StateValue & ~Copyable>(_ name: String, _ value: inout Value) throws {
    try enter(name) { try value.visit(self) }
  }

  /// A part that may not be there: it is saved as there or not.
  /// - Parameter make: makes one of its size, where one was saved and none is there.
  public func optional<Child: State>(_ name: String, _ child: inout Child?, make: () throws -> Child) throws {
    let isThere = try recorded(name, child != nil)
    guard isThere else {
      if isRestoring { child = nil }
      return
    }
    let part = try child ?? make()
    try self.child(name, part)
    if isRestoring { child = part }
  }

  /// What is filled anew before it is read: it takes memory, and is never saved.
  public func scratch<S: KernelScalar>(_ name: String, _ matrix: borrowing Matrix<S>) {
    if isCounting { bytes += matrix.bytes }
  }

  public func scratch<S: KernelScalar>(_ name: String, _ blocks: borrowing BlockBatch<S>) {
    if isCounting { bytes += blocks.bytes }
  }

  public func scratch<Number: StateNumber>(_ name: String, _ list: [Number]) {
    scratch(name, bytes: list.count * MemoryLayout<Number>.stride)
  }

  public func scratch(_ name: String, bytes count: Int) {
    if isCounting { bytes += count }
  }

  /// What there is only after a failure: it is saved, but not counted, as no plan counts it.
  public func ofFailures(_ body: () throws -> Void) rethrows {
    let before = bytes
    try body()
    bytes = before
  }

  /// An object that does not say what it holds. Its memory is counted; to save it, or to restore it, is refused, since what
  /// came back would be another one.
  public func refuse(_ object: AnyObject, bytes count: Int) throws {
    if isCounting { return bytes += count }
    throw StateError(
      placeOfParts, expected: "an object whose state can be saved, by a visit of its own",
      found: "\(type(of: object)), which has none")
  }
}
