"""Symbols inferred once and kept: what the prior over scenes learns from while everything below it stands still.

A phase that trains z_g alone asks the same frozen network about scene after scene. Asking it beforehand, once, about
many scenes makes such a step twice as cheap. The bank is a function of the weights and the seed, so a resumed run
fills it with the same numbers.
"""

import torch
from torch import Generator, Tensor

from neurosym_lite.data.fixed_scenes import SceneStream
from neurosym_lite.distributions import Bernoulli, Gaussian
from neurosym_lite.models.gnm import GNM, Inference
from neurosym_lite.models.successor import Successor
from neurosym_lite.models.symbols import ObjectDistribution

CHUNK = 256  # scenes inferred at a time


class SymbolBank:
    """`Inference` of n training scenes, boxes and glimpses at the posterior's mode; or their tokens."""

    def __init__(self, model: GNM | Successor, source: SceneStream, n: int, generator: Generator) -> None:
        """n is rounded up to a multiple of CHUNK."""
        chunks = -(-n // CHUNK)
        self.tensors: list[Tensor] = []
        for chunk in range(chunks):
            with torch.no_grad():
                part = flattened(model.infer(source.batch(CHUNK, generator).images.float() / 255, mode=True))
            if not self.tensors:  # one block each from the start: pieces would scatter what is freed in between
                self.tensors = [tensor.new_empty(chunks * CHUNK, *tensor.shape[1:]) for tensor in part]
            for whole, tensor in zip(self.tensors, part, strict=True):
                whole[chunk * CHUNK : (chunk + 1) * CHUNK] = tensor

    def rows(self, n: int, generator: Generator) -> tuple[Tensor, ...]:
        """n of the scenes, drawn with replacement, as `flattened` orders them."""
        scenes = len(self.tensors[0])
        rows = torch.randint(0, scenes, (n,), generator=generator, device=generator.device)
        return tuple(tensor[rows] for tensor in self.tensors)

    def batch(self, n: int, generator: Generator) -> Inference | Tensor:
        """n of the scenes, drawn with replacement."""
        return nested(list(self.rows(n, generator)))


def flattened(seen: Inference | Tensor) -> list[Tensor]:
    """All tensors of an inference, in a fixed order; tokens are one already."""
    if isinstance(seen, Tensor):
        return [seen]
    q = seen.objects
    return [q.pres.logits, *q.where, *q.depth, *q.what, seen.where, seen.features, *seen.background]


def nested(tensors: list[Tensor]) -> Inference | Tensor:
    """The inference that `flattened` took apart."""
    if len(tensors) == 1:
        return tensors[0]
    logits, *gaussians, where, features, mean, std = tensors
    pairs = [Gaussian(*gaussians[i : i + 2]) for i in (0, 2, 4)]
    return Inference(ObjectDistribution(Bernoulli(logits), *pairs), where, features, Gaussian(mean, std))
