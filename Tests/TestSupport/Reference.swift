/// The reference implementation: every formula of the kernels once more, in plain Swift and double precision.
///
/// It is written from the mathematics, not from the kernels: textbook loops, one matrix at a time, no blocking, no
/// vectors, and where it can be another form of the same formula. It is the oracle of all tests and of the benchmark's
/// validation, never something to call for speed.
///
/// Matrices are `[Double]`, row-major and without gaps, with their sizes beside them. The notation is the header's:
/// `x` is (n,d), one sample x~ = (x, 1) a row; `w`, `v` are (m,d), one neuron a row; `z`, `nu`, `eta` are (n,m).
public enum Reference {}
