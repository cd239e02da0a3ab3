"""Are the boxes right? Average precision and the number of objects (GNM, table 4)."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosym_lite.data.arrow_room import ArrowScenes
from neurosym_lite.data.scenes import Scenes
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.space import Space

BATCH = 100  # scenes at a time
# of PASCAL VOC 2007, which SPACE and so GNM score by; not linspace, whose 0.3 is a little more than 3 / 10
RECALL_POINTS = np.arange(11) / 10


def box_iou(found: Float[Tensor, "B K 4"], true: Float[Tensor, "B N 4"]) -> Float[Tensor, "B K N"]:
    """Intersection over union of every found box with every true box of its image, from corners x0 y0 x1 y1."""
    low = torch.maximum(found[:, :, None, :2], true[:, None, :, :2])
    high = torch.minimum(found[:, :, None, 2:], true[:, None, :, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area_found = (found[..., 2:] - found[..., :2]).clamp(min=0).prod(-1)
    area_true = (true[..., 2:] - true[..., :2]).clamp(min=0).prod(-1)
    union = area_found[:, :, None] + area_true[:, None] - overlap
    return overlap / union.clamp(min=torch.finfo(union.dtype).tiny)


def match(
    iou: Float[Tensor, "B K N"], confidence: Float[Tensor, "B K"], true_present: Bool[Tensor, "B N"], threshold: float
) -> Bool[Tensor, "B K"]:
    """Which found boxes are hits: by falling confidence, each takes the best true box that is still free."""
    hits = torch.zeros_like(confidence, dtype=torch.bool)
    free = true_present.clone()
    order = confidence.argsort(dim=1, descending=True, stable=True)
    image = torch.arange(len(iou))
    for rank in range(iou.shape[1]):
        box = order[:, rank]
        best, which = (iou[image, box] * free).max(dim=1)
        hit = best >= threshold
        hits[image, box] = hit
        free[image, which] &= ~hit
    return hits


def average_precision(
    found: Float[Tensor, "B K 4"],
    confidence: Float[Tensor, "B K"],
    true: Float[Tensor, "B N 4"],
    true_present: Bool[Tensor, "B N"],
    threshold: float = 0.5,
    points: int = len(RECALL_POINTS),
) -> float:
    """Average precision at an IoU threshold: the mean over `points` recalls from 0 to 1 of the best precision there.

    Every found box counts, ranked by its confidence over all images. With no true box it is undefined: ValueError.
    """
    positives = int(true_present.sum())
    if positives == 0:
        raise ValueError("average precision needs at least one true box: ask for more scenes")
    hits = match(box_iou(found, true), confidence, true_present, threshold).flatten()
    ranked = hits[confidence.flatten().argsort(descending=True, stable=True)].numpy()
    true_found = np.cumsum(ranked)
    recall, precision = true_found / positives, true_found / np.arange(1, len(ranked) + 1)
    best = [precision[recall >= point].max(initial=0.0) for point in np.arange(points) / (points - 1)]
    return float(np.mean(best))


def mean_average_precision(
    found: Float[Tensor, "B K 4"],
    confidence: Float[Tensor, "B K"],
    true: Float[Tensor, "B N 4"],
    true_present: Bool[Tensor, "B N"],
) -> float:
    """The mean of `average_precision` over IoU thresholds 0.50, 0.55, ..., 0.95."""
    thresholds = np.arange(0.5, 0.951, 0.05)
    return float(np.mean([average_precision(found, confidence, true, true_present, t) for t in thresholds]))


@torch.no_grad()
def detection(model: GNM | Space, scenes: Scenes | ArrowScenes) -> dict[str, float]:
    """Objects found a scene, share of scenes with the right number, and average precision against the true boxes."""
    parts = [model.detect(images.float() / 255) for images in scenes.images.split(BATCH)]
    corners = torch.cat([found.corners for found, _, _ in parts])
    present = torch.cat([found.present for found, _, _ in parts])
    confidence = torch.cat([probability for _, probability, _ in parts])
    truth = (corners, confidence, scenes.boxes, scenes.present)
    return {
        "count_mean": float(present.sum(1).float().mean()),
        "count_right": float((present.sum(1) == scenes.present.sum(1)).float().mean()),
        "ap50": average_precision(*truth),
        "ap50_95": mean_average_precision(*truth),
    }
