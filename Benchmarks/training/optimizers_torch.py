"""The optimizers of PyTorch, and of packages for it, that are raced: each a list of optimizers.

They get lists of weights and of biases. Where L2 and decay are no parameters, they are added around them
(peers_torch.py). A further one is a function here, with its settings as parameters.
"""


def groups(weights, biases, decay):
    return [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]


# fused=True is the quickest of the three ways on a CPU.
def sgd(library, weights, biases, rate, l2=0.0):
    return [library.optim.SGD(groups(weights, biases, l2), rate, fused=True)]


def momentum(library, weights, biases, rate, beta=0.9, nesterov=0, l2=0.0):
    return [library.optim.SGD(groups(weights, biases, l2), rate, momentum=beta, nesterov=bool(nesterov), fused=True)]


def adam(library, weights, biases, rate, b1=0.9, b2=0.999, l2=0.0):
    return [library.optim.Adam(groups(weights, biases, l2), rate, betas=(b1, b2), fused=True)]


def adamw(library, weights, biases, rate, b1=0.9, b2=0.999, decay=0.0):
    return [library.optim.AdamW(groups(weights, biases, decay), rate, betas=(b1, b2), fused=True)]


def muon(library, weights, biases, rate, adam_rate, beta=0.95, decay=0.0):
    """torch.optim.Muon for the matrices, with a rate of its own; AdamW for the biases."""
    return [library.optim.Muon(weights, lr=rate, momentum=beta, weight_decay=decay),
            library.optim.AdamW(biases, lr=adam_rate, weight_decay=0.0, fused=True)]


def soap(library, weights, biases, rate, b1=0.95, b2=0.95, every=10, decay=0.0):
    import pytorch_optimizer

    given = groups(weights, biases, decay)
    return [pytorch_optimizer.SOAP(given, lr=rate, betas=(b1, b2), precondition_frequency=every)]


def shampoo(library, weights, biases, rate, beta=0.9, b2=0.999, every=20):
    """pytorch_optimizer's ScalableShampoo, PyTorch's version of Google's distributed Shampoo."""
    import pytorch_optimizer

    return [pytorch_optimizer.ScalableShampoo(
        weights + biases, lr=rate, betas=(beta, b2), preconditioning_compute_steps=every,
        start_preconditioning_step=every)]


def schedule_free(library, weights, biases, rate, b1=0.9, b2=0.999, decay=0.0):
    """Evaluated at its averaged weights."""
    import schedulefree

    return [schedulefree.AdamWScheduleFree(groups(weights, biases, decay), lr=rate, betas=(b1, b2))]


OPTIMIZERS = {f.__name__: f for f in (sgd, momentum, adam, adamw, muon, soap, shampoo, schedule_free)}
