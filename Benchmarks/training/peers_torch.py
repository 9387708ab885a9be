"""PyTorch eager: torch.nn.Sequential, step by step."""

import importlib.metadata
import inspect
import sys

import numpy as np
import torch

import optimizers_torch
from networks import GROUP, SIDE, WEIGHTED, starting_weights

# What optimizers may come from beside PyTorch.
PACKAGES = ("pytorch_optimizer", "schedulefree")
# Rows of an evaluation at once.
ROWS = 10_000


class Convolution(torch.nn.Module):
    """3 × 3 with padding 1; its kernels are a matrix for the optimizers, of which some know nothing else."""

    def __init__(self, weight):
        super().__init__()
        self.weight, self.bias = torch.nn.Parameter(weight.clone()), torch.nn.Parameter(torch.zeros(len(weight)))

    def forward(self, x):
        kernel = self.weight.view(len(self.weight), 3, 3, -1).permute(0, 3, 1, 2)
        return torch.nn.functional.conv2d(x, kernel, self.bias, padding=1)


class Residual(torch.nn.Module):
    """x and what the layers make of it."""

    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


class Torch:
    whole_lengths = False
    # Whether its model goes through torch.compile.
    is_compiled = False

    def __init__(self, training, validation, threads):
        torch.set_num_threads(threads)
        self.training, self.validation = (
            (torch.from_numpy(x), torch.from_numpy(y.astype(np.int64))) for x, y in (training, validation))
        self.versions = {"PyTorch": torch.__version__}

    def prepare(self, optimizer, setting, network, factors):
        """`factors` of the rates, one for each step, or None where they are constant."""
        self.function, self.setting = optimizers_torch.OPTIMIZERS[optimizer], setting
        self.network, self.factors = network, factors

    def start(self, seed):
        layers, below, self.steps = [], [], 0
        weights = iter(starting_weights(self.network, seed))
        if self.network[0]["kind"] == "convolution":
            layers.append(torch.nn.Unflatten(1, (1, SIDE, SIDE)))
        for part, before in zip(self.network, [None, *self.network]):
            kind = part["kind"]
            if kind == "pool":
                layers.append(torch.nn.MaxPool2d(2))
            elif kind == "mean":
                layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
            elif kind == "skip":
                below, layers = [*below, layers], []
            elif kind == "add":
                layers, below = [*below[-1], Residual(layers)], below[:-1]
            if kind not in WEIGHTED:
                continue
            weight = next(weights)
            if kind == "norm":
                layers.append(torch.nn.GroupNorm(part["channels"] // GROUP, part["channels"]))
                continue
            if kind == "dense" and before and before["kind"] == "pool":
                layers.append(torch.nn.Flatten())
            w = torch.from_numpy(weight)
            layers.append(Convolution(w) if kind == "convolution" else torch.nn.Linear(w.shape[1], w.shape[0]))
            with torch.no_grad():
                layers[-1].weight.copy_(w)
                layers[-1].bias.zero_()
            if part["relu"]:
                layers.append(torch.nn.ReLU())
        self.model = torch.nn.Sequential(*layers)
        if self.is_compiled:
            self.model.compile()
        self.weights = [p for p in self.model.parameters() if p.ndim == 2]
        biases = [p for p in self.model.parameters() if p.ndim == 1]
        known = inspect.signature(self.function).parameters
        given = {k: v for k, v in self.setting.items() if k in known}
        self.optimizers = self.function(torch, self.weights, biases, **given)
        self.versions |= {n: importlib.metadata.version(n) for n in PACKAGES if n in sys.modules}
        self.modes([o for o in self.optimizers if hasattr(o, "eval")], "train")
        self.base = [[group["lr"] for group in o.param_groups] for o in self.optimizers]
        self.l2, self.decay = (0 if name in known else self.setting.get(name, 0) for name in ("l2", "decay"))

    @staticmethod
    def modes(optimizers, mode):
        for optimizer in optimizers:
            getattr(optimizer, mode)()

    def train(self, batches):
        (x, y), loss = self.training, torch.nn.functional.cross_entropy
        for batch in torch.from_numpy(batches):
            for optimizer in self.optimizers:
                optimizer.zero_grad(set_to_none=True)
            loss(self.model(x[batch]), y[batch]).backward()
            if self.factors is not None:
                self.follow(self.factors[min(self.steps, len(self.factors) - 1)])
            if self.l2 or self.decay:
                self.shrink()
            for optimizer in self.optimizers:
                optimizer.step()
            self.steps += 1

    def follow(self, factor):
        for optimizer, rates in zip(self.optimizers, self.base):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * factor

    @torch.no_grad()
    def shrink(self):
        """L2 and decay of what has no parameter for them."""
        if self.l2:
            torch._foreach_add_([w.grad for w in self.weights], self.weights, alpha=self.l2)
        if self.decay:
            torch._foreach_mul_(self.weights, 1 - self.optimizers[0].param_groups[0]["lr"] * self.decay)

    def evaluate(self, samples):
        """The mean cross-entropy, and the share that is right."""
        averaged = [o for o in self.optimizers if hasattr(o, "eval")]
        self.modes(averaged, "eval")
        loss, right, (x, y) = 0.0, 0, samples
        with torch.no_grad():
            for i in range(0, len(x), ROWS):
                logits = self.model(x[i : i + ROWS])
                loss += torch.nn.functional.cross_entropy(logits, y[i : i + ROWS], reduction="sum").item()
                right += (logits.argmax(1) == y[i : i + ROWS]).sum().item()
        self.modes(averaged, "train")
        return loss / len(x), right / len(x)
