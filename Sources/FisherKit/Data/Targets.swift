/// What a network is to make of samples.
public enum Targets: Sendable {
  /// A class for each sample, numbered 0 ..< count.
  case classes([Int32], count: Int)
  /// As many numbers for each sample, row by row: values of a regression, or which of several labels apply (0 or 1).
  case numbers([Float], width: Int)

  /// The samples there are.
  public var count: Int {
    switch self {
    case .classes(let labels, _): labels.count
    case .numbers(let numbers, let width): width > 0 ? numbers.count / width : 0
    }
  }

  /// The outputs that a network for them has: one for each class, or for each number.
  public var outputs: Int {
    switch self {
    case .classes(_, let count): count
    case .numbers(_, let width): width
    }
  }

  public var bytes: Int {
    switch self {
    case .classes(let labels, _): labels.count * MemoryLayout<Int32>.stride
    case .numbers(let numbers, _): numbers.count * MemoryLayout<Float>.stride
    }
  }

  /// For messages.
  var kind: String {
    switch self {
    case .classes: "classes"
    case .numbers: "numbers"
    }
  }
}

/// The targets of a mini-batch, kept to be refilled.
public final class TargetBatch<Scalar: KernelScalar> {
  /// A class for each row, of targets that are classes.
  public private(set) var classes: [Int32] = []
  /// (rows, width), of targets that are numbers.
  public private(set) var numbers: Matrix<Scalar>
  public private(set) var rows = 0
  private let isOfClasses: Bool

  /// Room for the targets of so many samples.
  public init(like targets: Targets, capacity: Int) throws(FisherError) {
    switch targets {
    case .classes:
      isOfClasses = true
      classes = Array(repeating: 0, count: capacity)
      numbers = try Matrix(rows: 0, columns: 0)
    case .numbers(_, let width):
      isOfClasses = false
      numbers = try Matrix(rows: capacity, columns: width, what: "targets of a mini-batch")
    }
  }

  /// For a loop of one's own: the class of each row.
  public init(classes: [Int32]) throws(FisherError) {
    (isOfClasses, self.classes, rows) = (true, classes, classes.count)
    numbers = try Matrix(rows: 0, columns: 0)
  }

  /// For a loop of one's own: the numbers (rows, width).
  public init(numbers: consuming Matrix<Scalar>) {
    (isOfClasses, rows) = (false, numbers.rows)
    self.numbers = numbers
  }

  public var bytes: Int { classes.count * MemoryLayout<Int32>.stride + numbers.bytes }

  /// Takes the targets of some samples, as many as there is room for at most. Allocates nothing.
  public func load(_ targets: Targets, samples: Span<Int32>) {
    rows = samples.count
    switch targets {
    case .classes(let labels, _):
      demand(isOfClasses && rows <= classes.count, "room for \(classes.count) classes, found \(rows)")
      for k in 0..<rows { classes[k] = labels[Int(samples[k])] }
    case .numbers(let values, let width):
      demand(!isOfClasses && numbers.columns == width, "room for rows of \(numbers.columns) numbers, found \(width)")
      numbers.resize(rows: rows)
      numbers.takeRows(of: values, samples)
    }
  }
}

extension Matrix {
  /// Row k = row samples[k] of numbers that lie row by row.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func takeRows(of values: [Float], _ samples: Span<Int32>) {
    for k in samples.indices {
      let (row, first) = (storage.base + k * stride, Int(samples[k]) * columns)
      for j in 0..<columns { row[j] = Scalar(values[first + j]) }
    }
  }
}
