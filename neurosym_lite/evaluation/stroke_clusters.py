"""Do strokes come in kinds? K-means on what is drawn, part by part, and how far apart the kinds are (DooD, figure 5).

A stroke is its control points in its frame, so neither its place nor its size nor its turn counts; a part of AIR is its
code z_what. Both have ten numbers.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Generator, Tensor

from neurosym_lite.evaluation.strokes import read, redrawn
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD

STROKES = 10_000  # that are clustered (the paper)
KINDS = 8  # clusters (the paper)
STARTS = 10  # of k-means; the best is kept


class Parts(NamedTuple):
    """Parts that a model draws, those before its stop."""

    codes: Float[Tensor, "N D"]
    """Control points in the frame, flat; or z_what."""
    image: Int64[Tensor, "N"]
    """Which image each is of."""
    step: Int64[Tensor, "N"]
    """Which part of it, from 0 on."""


class Clusters(NamedTuple):
    """Parts by kind."""

    labels: Int64[Tensor, "N"]
    centres: Float[Tensor, "K D"]
    silhouette: float
    """Mean over the parts of (b - a) / max(a, b): a the mean distance to its own kind, b to the nearest other."""


def parts_of(model: DooD | AIR, images: Float[Tensor, "B 1 H W"]) -> Parts:
    """The parts of these images, means of the posteriors."""
    drawing = read(model, images)
    codes = drawing.latents.points.flatten(2) if isinstance(model, DooD) else drawing.what
    kept = redrawn(drawing).on > 0
    image, step = kept.nonzero().unbind(1)
    return Parts(codes[kept], image, step)


def kinds(codes: Float[Tensor, "N D"], number: int = KINDS, seed: int = 0) -> Clusters:
    """K-means, the largest cluster first. Raises ValueError unless there are more parts than clusters."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    if len(codes) <= number:
        raise ValueError(f"{len(codes)} parts for {number} clusters: expected more parts")
    array = codes.double().numpy()
    found = KMeans(number, n_init=STARTS, random_state=seed).fit(array)
    order = np.argsort(-np.bincount(found.labels_, minlength=number), kind="stable")
    rank = np.empty(number, dtype=np.int64)
    rank[order] = np.arange(number)
    labels = rank[found.labels_]
    centres = torch.from_numpy(found.cluster_centers_[order]).float()
    return Clusters(torch.from_numpy(labels), centres, float(silhouette_score(array, labels)))


def plane(codes: Float[Tensor, "N D"], seed: int = 0) -> Float[Tensor, "N 2"]:
    """The parts on a plane, neighbours kept near: t-SNE (van der Maaten and Hinton 2008)."""
    from sklearn.manifold import TSNE

    return torch.from_numpy(TSNE(random_state=seed, init="pca").fit_transform(codes.numpy()))


def shuffled(codes: Float[Tensor, "N D"], generator: Generator) -> Float[Tensor, "N D"]:
    """The same numbers, each column in an order of its own: no part is left whole, yet k-means finds kinds."""
    return torch.stack([column[torch.randperm(len(column), generator=generator)] for column in codes.T], dim=1)


def cluster_metrics(model: DooD | AIR, images: UInt8[Tensor, "N 1 H W"], seed: int) -> dict[str, float]:
    """Silhouette of KINDS clusters of the first STROKES parts of as many images at random, and of shuffled ones."""
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)[:STROKES]
    codes = parts_of(model, images[order].float() / 255).codes[:STROKES]
    nothing = kinds(shuffled(codes, generator), seed=seed).silhouette
    own = kinds(codes, seed=seed).silhouette
    return {"silhouette": own, "silhouette_shuffled": nothing, "silhouette_parts": len(codes)}
