"""What the functions of optimizers_jax.py, optimizers_torch.py and peers_kfac.py say of themselves.

An optimizer is a function in one of them, whose names are what a plan calls it by; its settings are its parameters. A
parameter whose name ends in `rate` goes by the schedule. Nothing of a peer is imported to ask.
"""

import inspect

import optimizers_jax
import optimizers_torch

# What every setting may have: samples of a mini-batch, the schedule and, in epochs, its horizon, the coupled L2 that is
# added to the gradients of weights (not of biases), and the decay that is not: w ← w − rate·decay·w.
COMMON = ("batch", "schedule", "horizon", "l2", "decay")
# Whose imports a peer needs.
PACKAGES = {
    "jax": ["numpy", "jax", "optax"],
    "kfac-jax": ["numpy", "jax", "optax", "kfac_jax"],
    "torch": ["numpy", "torch"],
}
MORE_PACKAGES = {("torch", "soap"): ["pytorch_optimizer"], ("torch", "shampoo"): ["pytorch_optimizer"],
                 ("torch", "schedule_free"): ["schedulefree"]}


def kfac(rate, damping, momentum=0.9, curvature=5, inverse=20):
    """kfac_jax.Optimizer with fixed rate, momentum and damping; periods of its curvature and of its inverses."""


OPTIMIZERS = {
    "jax": optimizers_jax.OPTIMIZERS,
    "torch": optimizers_torch.OPTIMIZERS,
    "kfac-jax": {"kfac": kfac},
}
# Those whose rate may warm up, but not fall: the average takes the place of that.
AVERAGED = ("schedule_free",)


def settings(peer, optimizer):
    """Names of the settings, those without a default first.

    >>> settings("jax", "adam")[:3], "decay" in settings("kfac-jax", "kfac")
    (['rate', 'b1', 'b2'], False)
    """
    given = inspect.signature(OPTIMIZERS[peer][optimizer]).parameters
    own = [name for name in given if name not in ("library", "weights", "biases") and name not in COMMON]
    return own + [name for name in COMMON if peer != "kfac-jax" or name != "decay"]


def needed(peer, optimizer):
    """Settings that have to be there.

    >>> needed("kfac-jax", "kfac"), needed("jax", "muon")
    (['rate', 'damping', 'batch'], ['rate', 'adam_rate', 'batch'])
    """
    given = inspect.signature(OPTIMIZERS[peer][optimizer]).parameters.values()
    names = [p.name for p in given if p.default is p.empty and p.name in settings(peer, optimizer)]
    return [name for name in names if name not in COMMON] + ["batch"]


def packages(peer, optimizer):
    """
    >>> packages("torch", "soap")
    ['numpy', 'torch', 'pytorch_optimizer']
    """
    return PACKAGES[peer] + MORE_PACKAGES.get((peer, optimizer), [])
