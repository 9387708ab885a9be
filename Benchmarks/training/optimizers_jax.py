"""The optimizers of optax that are raced: each a transformation that has its rates in it.

A rate is a number or, where there is a schedule, a function of the step. L2 and decay are added around them
(peers_jax.py). A further one is a function here, with its settings as parameters.
"""


def sgd(library, rate):
    return library.sgd(rate)


def momentum(library, rate, beta=0.9, nesterov=0):
    return library.sgd(rate, beta, bool(nesterov))


def adam(library, rate, b1=0.9, b2=0.999):
    return library.adam(rate, b1, b2)


def adamw(library, rate, b1=0.9, b2=0.999):
    # (its decay is that of every setting, on weights alone)
    return library.adam(rate, b1, b2)


def lion(library, rate, b1=0.9, b2=0.99):
    # (decay as for AdamW)
    return library.lion(rate, b1, b2, weight_decay=0.0)


def muon(library, rate, adam_rate, beta=0.95):
    """Muon for the matrices, with a rate of its own; Adam for the biases."""
    return library.contrib.muon(rate, beta=beta, adam_learning_rate=adam_rate)


def soap(library, rate, b1=0.95, b2=0.95, every=10):
    import soap_jax

    return library.chain(soap_jax.scale_by_soap(b1, b2, every), library.scale_by_learning_rate(rate))


def schedule_free(library, rate, b1=0.9, b2=0.999, decay=0.0):
    """Evaluated at its averaged weights. Its decay is inside, where it takes that of biases too, as published."""
    return library.contrib.schedule_free_adamw(rate, b1=b1, b2=b2, weight_decay=decay)


OPTIMIZERS = {f.__name__: f for f in (sgd, momentum, adam, adamw, lion, muon, soap, schedule_free)}
