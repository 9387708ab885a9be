/// What the consumer's own program shares: a target with a name that a package's helper is likely to have.
public func line(loss: Double) -> String { "test loss \(loss)" }
