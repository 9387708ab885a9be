/// One of each kind in this folder: those that a file knows by their names. What is not in it has to be handed over
/// where a file is read.
public let builtInActivations: [any Activation] = [
  Elu(), Gelu(), LeakyRelu(), Linear(), Relu(), Sigm(), Silu(), Softplus(), Tanh(),
]
