// A program that is called as FisherKit's own is.
import CZlib
import FisherKit

print("the consumer's fisher: zlib \(String(cString: zlibVersion())), FisherKit \(FisherKitVersion.current)")
