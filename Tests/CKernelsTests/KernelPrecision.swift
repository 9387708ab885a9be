import FisherKit
import FisherKitTestSupport

/// An element type that has both kernels and a reference to compare them with. The tests are written once, for either.
protocol KernelPrecision: KernelScalar, ReferenceScalar {}

extension Float: KernelPrecision {}
extension Double: KernelPrecision {}

extension KernelPrecision {
  static var kernels: _KernelTable<Self> { _kernels }
}
