/// An object that can say what it holds: every matrix, list and number of it, by name, in one visit. How much memory it
/// takes, whether it holds numbers only, what is kept of it in a checkpoint and what comes back are all read off that visit,
/// so that none of them can forget a member.
///
///     final class Velocity: State {
///       private var velocity: Matrix<Float>
///       private var row: Matrix<Float>                       // filled anew by each step
///       private var steps = 0
///
///       func visit(_ visitor: StateVisitor) throws {
///         try visitor.visit("velocity", &velocity)
///         try visitor.visit("steps", &steps, in: 0...(.max))
///         visitor.scratch("row", row)
///       }
///     }
///
/// A visit names the same things every time, whatever was saved; where there are more of them at some times than at others,
/// it asks ``StateVisitor/recorded(_:_:)`` what there was. Settings, which whoever makes the object chooses, are not state;
/// those that what is held depends on are ``StateVisitor/fixed(_:_:)``.
public protocol State: AnyObject {
  /// Shows each member to the visitor.
  func visit(_ visitor: StateVisitor) throws
}

extension State {
  /// The memory of what a visit shows, scratch included; single numbers, which are in the object itself, count nothing.
  public var stateBytes: Int {
    let visitor = StateVisitor(.counting)
    visitor.run(self)
    return visitor.bytes
  }

  /// The name of the first matrix, block or list with a NaN or an infinity; `nil` where there is none.
  public var firstNonFinite: String? {
    let visitor = StateVisitor(.judging)
    visitor.run(self)
    return visitor.firstNonFinite
  }
}

extension StateVisitor {
  /// A visit that has nothing to write to or to read from cannot fail.
  fileprivate func run(_ object: some State) {
    do {
      try object.visit(self)
    } catch {
      demand(false, "\(type(of: object)): a visit that only counts failed: \(error)")
    }
  }
}

/// The same for a value, which an object has a variable of.
public protocol StateValue: ~Copyable {
  mutating func visit(_ visitor: StateVisitor) throws
}

/// Saved state that does not fit what it is to be restored to, or an object that cannot be saved.
public struct StateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The name, with those of the objects that it is in before it: "optimizer/second moment/0".
  public var place: String
  public var expected: String
  public var found: String

  public init(_ place: String, expected: String, found: String) {
    (self.place, self.expected, self.found) = (place, expected, found)
  }

  public var description: String { "\(place): expected \(expected), found \(found)" }
}
