/// The sum of some bytes, or the largest number where they cannot be addressed.
func sum(ofBytes parts: Int...) -> Int {
  var sum = 0
  for part in parts {
    let (total, overflow) = sum.addingReportingOverflow(part)
    // (what cannot be addressed says so by the largest number or, from a kernel, by a negative one)
    if overflow || part < 0 { return .max }
    sum = total
  }
  return sum
}
