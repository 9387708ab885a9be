"""What is run: our settings, the same for every seed, and those of the peers among which a sweep chooses."""

DEFAULTS = ("RNGD auto, batch 50", ["--metric", "auto", "--learning-rate", 0.01])
OWN_CHOICE = (
    "RNGD auto, its own choice",
    ["--metric", "auto", "--rank", 48, "--window-samples", 500, "--batch", 200, "--learning-rate", 0.025],
)
SGD = ("our SGD, batch 50", ["--optimizer", "sgd", "--learning-rate", 0.1])
ADAM = ("our Adam, batch 50", ["--optimizer", "adam", "--learning-rate", 5e-4])

# Networks on which auto is compared with exact.
QUALITY = [("80,80,80", "relu"), ("100,100,100", "relu"), ("80,80,80", "tanh")]


def first_order(optimizer, batch, *rates):
    return [{"optimizer": optimizer, "rate": rate, "batch": batch} for rate in rates]


def kfac(batch, *choices, curvature=5, inverse=20):
    return [
        {"optimizer": "kfac", "rate": rate, "damping": damping, "batch": batch}
        | {"curvature": curvature, "inverse": inverse}
        for rate, damping in choices
    ]


# Groups of the sweep: the two best of each with the first seed run with the others too. These settings surround the
# best ones of a wider search; FULL is that search again.
PEERS = [
    ("PyTorch eager, at batch 50", "torch",
     first_order("sgd", 50, 0.1) + first_order("momentum", 50, 0.005, 0.01) + first_order("adam", 50, 5e-4, 1e-3)),
    ("JAX jit + scan, at batch 50", "jax",
     first_order("sgd", 50, 0.1) + first_order("momentum", 50, 0.005, 0.01) + first_order("adam", 50, 5e-4, 1e-3)),
    ("JAX jit + scan, at larger batches", "jax",
     first_order("momentum", 200, 0.03) + first_order("adam", 200, 1e-3, 2e-3) + first_order("adam", 500, 2e-3, 4e-3)),
    ("kfac-jax", "kfac-jax",
     kfac(1000, (0.03, 0.03), (0.05, 0.03), (0.05, 0.05)) + kfac(500, (0.03, 0.03), (0.05, 0.03))
     + kfac(50, (0.003, 0.03), inverse=50)),
]
RATES = {"sgd": (0.05, 0.1, 0.2), "momentum": (0.005, 0.01, 0.02), "adam": (3e-4, 5e-4, 1e-3, 2e-3)}
AT_50 = [setting for optimizer, rates in RATES.items() for setting in first_order(optimizer, 50, *rates)]
FULL = [
    ("PyTorch eager, at batch 50", "torch", AT_50),
    ("JAX jit + scan, at batch 50", "jax", AT_50),
    ("JAX jit + scan, at larger batches", "jax",
     first_order("momentum", 100, 0.02, 0.04) + first_order("momentum", 200, 0.03, 0.06)
     + [s for batch in (100, 200, 500) for s in first_order("adam", batch, 1e-3, 2e-3, 4e-3)]),
    ("kfac-jax", "kfac-jax",
     kfac(1000, (0.03, 0.03), (0.05, 0.03), (0.05, 0.05), (0.1, 0.03)) + kfac(250, (0.02, 0.03), (0.03, 0.03))
     + kfac(500, (0.03, 0.01), (0.03, 0.03), (0.05, 0.03), (0.1, 0.1))
     + kfac(500, (0.03, 0.03), (0.05, 0.03), curvature=1, inverse=10)
     + kfac(50, (0.003, 0.03), (0.01, 0.1), (0.02, 0.1), inverse=50)),
]


def quick(groups):
    """One setting of each group."""
    return [(name, peer, settings[:1]) for name, peer, settings in groups]


def label(setting):
    """
    >>> label(first_order("adam", 50, 5e-4)[0])
    'adam 0.0005, batch 50'
    >>> label(kfac(500, (0.03, 0.01))[0])
    'kfac 0.03, batch 500, damping 0.01, periods 5/20'
    """
    text = f"{setting['optimizer']} {setting['rate']:g}, batch {setting['batch']}"
    if "damping" in setting:
        text += f", damping {setting['damping']:g}, periods {setting['curvature']}/{setting['inverse']}"
    return text
