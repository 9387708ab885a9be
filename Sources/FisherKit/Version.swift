/// The version of this package.
public enum FisherKitVersion {
  public static let current = "0.1.0"
}
