extension Activation {
  public func values<S: KernelScalar>(_ output: inout Matrix<S>, of z: borrowing Matrix<S>) {
    if let _kernel { return _kernel.value(&output, of: z) }
    demand(z.columns <= output.columns && z.rows == output.rows, "an output of another shape")
    for i in 0..<z.rows {
      for j in 0..<z.columns { output[i, j] = S(value(at: Double(z[i, j]))) }
    }
  }

  public func backward<S: KernelScalar>(_ delta: inout Matrix<S>, of z: borrowing Matrix<S>) {
    if let _kernel { return _kernel.backward(&delta, of: z) }
    demand(z.columns <= delta.columns && z.rows == delta.rows, "a delta of another shape")
    for i in 0..<z.rows {
      for j in 0..<z.columns { delta[i, j] *= S(derivative(at: Double(z[i, j]))) }
    }
  }

  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, of z: borrowing Matrix<S>) {
    if let _kernel { return _kernel.nu(&nu, of: z) }
    demand(z.columns == nu.columns && z.rows == nu.rows, "ν of another shape")
    for i in 0..<z.rows {
      for j in 0..<z.columns { nu[i, j] = S(self.nu(at: Double(z[i, j]))) }
    }
  }
}
