/// Every kernel that is timed. A new one is a file in Kernels and a line here.
enum Catalogue {
  static func kernels<T: BenchScalar>(_ type: T.Type) -> [any KernelBench.Type] {
    [
      WeightedGram<T>.self, CholeskyFactor<T>.self, CholeskySolve<T>.self, CholeskyFactorAndSolve<T>.self,
      CholeskyInverse<T>.self, SymmetricMultiply<T>.self,
      KernelFormSolve<T, Unrefined>.self, KernelFormSolve<T, RefinedOnce>.self,
      SoftmaxBlockDense<T>.self, SoftmaxBlockFactorAndSolve<T>.self, SoftmaxBlockMatvec<T>.self,
      TwoLayerMatvec<T>.self,
      ActivationForward<T, BenchTanh>.self, ActivationForward<T, BenchSigm>.self, ActivationForward<T, BenchRelu>.self,
      ActivationForward<T, BenchElu>.self, ActivationForward<T, BenchLinear>.self,
      ActivationForward<T, BenchSilu>.self, ActivationForward<T, BenchGelu>.self,
      ActivationBackward<T, BenchTanh>.self, ActivationBackward<T, BenchSigm>.self,
      ActivationBackward<T, BenchRelu>.self, ActivationBackward<T, BenchElu>.self,
      ActivationBackward<T, BenchLinear>.self, ActivationBackward<T, BenchSilu>.self,
      ActivationBackward<T, BenchGelu>.self,
      Softmax<T>.self, SoftmaxCrossEntropy<T>.self,
      GatherBytes<T>.self, GatherFloats<T>.self,
      AddWeightDecay<T>.self, UpdateSGD<T>.self, UpdateMomentum<T>.self, UpdateAdam<T>.self, RowDots<T>.self,
      TakeGradient<T>.self, AllFinite<T>.self,
      ConvolutionForward<T>.self, ConvolutionWeightGradient<T>.self, ConvolutionInputGradient<T>.self,
      MaxPool<T>.self, MaxPoolBackward<T>.self, GroupNormForward<T>.self, GroupNormBackward<T>.self,
      BatchNormForward<T>.self, BatchNormBackward<T>.self, BatchNormEvaluate<T>.self,
      Gemm<T>.self, Gram<T>.self, DenseCholesky<T>.self, InverseFactor<T>.self, Eigenvalues<T>.self,
      NewtonSchulz<T, FullFactors>.self, NewtonSchulz<T, Bfloat16Factors>.self,
    ]
  }
}
