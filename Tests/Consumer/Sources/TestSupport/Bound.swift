/// The loss that the consumer's program has to come below.
public let bound = 1.6
