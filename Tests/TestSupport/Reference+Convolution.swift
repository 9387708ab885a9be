extension Reference {
  /// Where a window goes, in its own words: C's struct is built of it.
  public struct Window: Sendable, CustomStringConvertible {
    public var height, width, kernelHeight, kernelWidth: Int
    public var strideY = 1
    public var strideX = 1
    public var paddingY = 0
    public var paddingX = 0
    public var dilationY = 1
    public var dilationX = 1

    public init(
      _ height: Int, _ width: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1), padding: (Int, Int) = (0, 0),
      dilation: (Int, Int) = (1, 1)
    ) {
      (self.height, self.width, kernelHeight, kernelWidth) = (height, width, kernel.0, kernel.1)
      (strideY, strideX, paddingY, paddingX) = (stride.0, stride.1, padding.0, padding.1)
      (dilationY, dilationX) = dilation
    }

    public var outHeight: Int { (height + 2 * paddingY - (kernelHeight - 1) * dilationY - 1) / strideY + 1 }
    public var outWidth: Int { (width + 2 * paddingX - (kernelWidth - 1) * dilationX - 1) / strideX + 1 }
    public var positions: Int { outHeight * outWidth }
    public var area: Int { height * width }
    public var taps: Int { kernelHeight * kernelWidth }

    /// The input position of a tap of the window at an output position; `nil` outside of the image.
    public func input(_ position: Int, tap: Int) -> Int? {
      let y = position / outWidth * strideY - paddingY + tap / kernelWidth * dilationY
      let x = position % outWidth * strideX - paddingX + tap % kernelWidth * dilationX
      return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : nil
    }

    public var description: String {
      "\(height)x\(width) by \(kernelHeight)x\(kernelWidth) stride \(strideY),\(strideX) padding \(paddingY),\(paddingX) "
        + "dilation \(dilationY),\(dilationX)"
    }
  }

  /// The patch of a group at output `row`, without its 1: X is (n area, channels).
  public static func patch(
    x: [Double], _ window: Window, channels: Int, groups: Int, row: Int, group: Int
  ) -> [Double] {
    let (own, sample) = (channels / groups, row / window.positions)
    return (0..<window.taps).flatMap { tap -> [Double] in
      guard let place = window.input(row % window.positions, tap: tap) else { return Array(repeating: 0, count: own) }
      let first = (sample * window.area + place) * channels + group * own
      return Array(x[first..<(first + own)])
    }
  }

  /// Z (n positions, outputs) = W (p~, 1).
  public static func convolution(
    x: [Double], w: [Double], _ window: Window, n: Int, channels: Int, outputs: Int, groups: Int
  ) -> [Double] {
    let (own, d) = (outputs / groups, window.taps * (channels / groups) + 1)
    var z: [Double] = []
    for row in 0..<(n * window.positions) {
      for group in 0..<groups {
        let patch = patch(x: x, window, channels: channels, groups: groups, row: row, group: group) + [1]
        for i in 0..<own {
          let first = (group * own + i) * d
          z.append(sum((0..<d).map { w[first + $0] * patch[$0] }))
        }
      }
    }
    return z
  }

  /// G (outputs, d) and dX (n area, channels) from delta (n positions, outputs).
  public static func convolutionBackward(
    delta: [Double], x: [Double], w: [Double], _ window: Window, n: Int, channels: Int, outputs: Int, groups: Int
  ) -> (g: [Double], dx: [Double]) {
    let (seen, own) = (channels / groups, outputs / groups)
    let d = window.taps * seen + 1
    var (g, dx) = (
      [Double](repeating: 0, count: outputs * d), [Double](repeating: 0, count: n * window.area * channels)
    )
    for row in 0..<(n * window.positions) {
      for group in 0..<groups {
        let patch = patch(x: x, window, channels: channels, groups: groups, row: row, group: group) + [1]
        for i in (group * own)..<((group + 1) * own) {
          let error = delta[row * outputs + i]
          for j in 0..<d { g[i * d + j] += error * patch[j] }
          for tap in 0..<window.taps {
            guard let place = window.input(row % window.positions, tap: tap) else { continue }
            let first = (row / window.positions * window.area + place) * channels + group * seen
            for c in 0..<seen { dx[first + c] += error * w[i * d + tap * seen + c] }
          }
        }
      }
    }
    return (g, dx)
  }

  /// Y (n positions, channels) and the tap of each largest; a NaN is the largest.
  public static func maxPool(x: [Double], _ window: Window, n: Int, channels: Int) -> (y: [Double], taps: [Int32]) {
    var (y, taps): ([Double], [Int32]) = ([], [])
    for row in 0..<(n * window.positions) {
      for c in 0..<channels {
        var (best, place): (Double?, Int32) = (nil, 0)
        for tap in 0..<window.taps {
          guard let input = window.input(row % window.positions, tap: tap) else { continue }
          let value = x[(row / window.positions * window.area + input) * channels + c]
          if best == nil || (best == best && !(value <= best!)) { (best, place) = (value, Int32(tap)) }
        }
        y.append(best!)
        taps.append(place)
      }
    }
    return (y, taps)
  }

  public static func averagePool(x: [Double], _ window: Window, n: Int, channels: Int) -> [Double] {
    var y: [Double] = []
    for row in 0..<(n * window.positions) {
      let first = row / window.positions * window.area
      for c in 0..<channels {
        var values: [Double] = []
        for tap in 0..<window.taps {
          guard let place = window.input(row % window.positions, tap: tap) else { continue }
          values.append(x[(first + place) * channels + c])
        }
        y.append(sum(values) / Double(window.taps))
      }
    }
    return y
  }

  /// dX (n area, channels) of a pooling that gives each output's derivative to its taps in these shares.
  public static func poolBackward(
    dy: [Double], _ window: Window, n: Int, channels: Int, share: (_ element: Int, _ tap: Int) -> Double
  ) -> [Double] {
    var dx = [Double](repeating: 0, count: n * window.area * channels)
    for row in 0..<(n * window.positions) {
      for tap in 0..<window.taps {
        guard let input = window.input(row % window.positions, tap: tap) else { continue }
        for c in 0..<channels {
          let element = row * channels + c
          dx[(row / window.positions * window.area + input) * channels + c] += share(element, tap) * dy[element]
        }
      }
    }
    return dx
  }

  /// Normalisation of groups of channels over a sample's positions.
  public static func groupNorm(
    x: [Double], w: [Double], n: Int, positions: Int, m: Int, groups: Int, isCentred: Bool, epsilon: Double
  ) -> (y: [Double], xhat: [Double], istd: [Double]) {
    var (y, xhat, istd) = (x, x, [Double]())
    let (width, columns) = (m / groups, isCentred ? 2 : 1)
    for s in 0..<n {
      for group in 0..<groups {
        let places = (0..<positions).flatMap { p in (0..<width).map { (s * positions + p) * m + group * width + $0 } }
        let values = places.map { x[$0] }
        let mean = isCentred ? sum(values) / Double(values.count) : 0
        let square = sum(values.map { ($0 - mean) * ($0 - mean) }) / Double(values.count)
        istd.append(1 / (square + epsilon).squareRoot())
        for k in places {
          let i = k % m
          xhat[k] = (x[k] - mean) * istd[istd.count - 1]
          y[k] = w[columns * i] * xhat[k] + (isCentred ? w[columns * i + 1] : 0)
        }
      }
    }
    return (y, xhat, istd)
  }

  /// dX, by the Jacobian of each group.
  public static func groupNormBackward(
    dy: [Double], xhat: [Double], istd: [Double], w: [Double], n: Int, positions: Int, m: Int, groups: Int,
    isCentred: Bool
  ) -> [Double] {
    var dx = dy
    let (width, columns) = (m / groups, isCentred ? 2 : 1)
    for s in 0..<n {
      for group in 0..<groups {
        let places = (0..<positions).flatMap { p in (0..<width).map { (s * positions + p) * m + group * width + $0 } }
        let e = places.map { w[columns * ($0 % m)] * dy[$0] }
        let mean = isCentred ? sum(e) / Double(e.count) : 0
        let slope = sum(zip(e, places).map { $0 * xhat[$1] }) / Double(e.count)
        for (k, place) in places.enumerated() {
          dx[place] = istd[s * groups + group] * (e[k] - mean - xhat[place] * slope)
        }
      }
    }
    return dx
  }
}
