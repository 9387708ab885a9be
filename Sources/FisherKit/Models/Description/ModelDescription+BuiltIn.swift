extension ModelDescription {
  /// Descriptions by their names.
  static let builtIn = [
    // (16-32-64: two convolutions with pooling, 64 hidden)
    "cnn": """
    {"input": "images", "activation": "relu", "layers": [
      {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"},
      {"layer": "max pooling", "kernel": 2},
      {"layer": "convolution", "outputs": 32, "kernel": 3, "padding": "same"},
      {"layer": "max pooling", "kernel": 2},
      {"layer": "flatten"},
      {"layer": "dense", "outputs": 64},
      {"layer": "dense"}]}
    """,
    // (20 convolutions: one, four residual blocks of two, one, and five of two)
    "residual-cnn": """
    {"input": "images", "activation": "relu", "layers": [
      {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"},
      {"layer": "max pooling", "kernel": 2},
      {"repeat": 4, "layers": [{"layer": "residual", "layers": [
        {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same"},
        {"layer": "convolution", "outputs": 16, "kernel": 3, "padding": "same", "activation": "linear"},
        {"layer": "group normalisation", "groups": 4}]}]},
      {"layer": "convolution", "outputs": 32, "kernel": 3, "padding": "same"},
      {"layer": "max pooling", "kernel": 2},
      {"repeat": 5, "layers": [{"layer": "residual", "layers": [
        {"layer": "convolution", "outputs": 32, "kernel": 3, "padding": "same"},
        {"layer": "convolution", "outputs": 32, "kernel": 3, "padding": "same", "activation": "linear"},
        {"layer": "group normalisation", "groups": 8}]}]},
      {"layer": "average pooling"},
      {"layer": "flatten"},
      {"layer": "dense"}]}
    """,
  ]
}
