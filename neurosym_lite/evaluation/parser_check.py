"""What the parser reads right and wrong: on free scenes digit by digit, and as a judge of true and spoilt scenes."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from neurosym_lite.data.glyphs import glyphs
from neurosym_lite.data.rules import PAIRS, TRIPLES
from neurosym_lite.data.scenes import ABSENT, PAPER_CANVAS, Layout, SceneSource, free_range
from neurosym_lite.evaluation.centres import Peaks, pairs
from neurosym_lite.evaluation.free_scenes import CANVAS, PLAIN, FreeScenes, FreeSceneSource
from neurosym_lite.evaluation.parser import Parser
from neurosym_lite.evaluation.structure import accepts

RULES = ("mnist4", "mnist10")
FOUND_WITHIN = 3.0  # pixels from its centre, for a digit to count as found
# a step that no scene may forgive, pixels at 64: a digit's deviation from the mean of four is 3/4 of it, of two 1/2
STEPS = {"mnist4": (4.5, 6.0), "mnist10": (8.0, 11.0)}


class ParserScores(NamedTuple):
    """How well free scenes are read."""

    recall: float
    """Share of digits found."""
    precision: float
    """Share of finds that are digits."""
    accuracy: float
    """Share of the digits found that are named right."""
    error: float
    """Mean distance of a find from the core's centre, in pixels."""


def reading(parser: Parser, scenes: FreeScenes) -> ParserScores:
    """Finds against the truth: each find and digit that are each other's nearest, within 3 pixels, are a pair."""
    parsed = parser.parse(scenes.images)
    found, true = parsed.labels != ABSENT, scenes.labels != ABSENT
    hit, which, distance = pairs(Peaks(parsed.centres, found), Peaks(scenes.centres, true), FOUND_WITHIN)
    named = scenes.labels.gather(1, which) == parsed.labels
    hits = int(hit.sum())
    return ParserScores(
        recall=hits / int(true.sum()),
        precision=hits / max(int(found.sum()), 1),
        accuracy=int((named & hit).sum()) / max(hits, 1),
        error=float(distance[hit].mean()),
    )


def _one_slot(layout: Layout, generator: Generator, slots: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    """For each scene its number, and one of the slots at random."""
    n, count = layout.labels.shape
    choice = torch.tensor(slots or range(count))
    return torch.arange(n), choice[torch.randint(0, len(choice), (n,), generator=generator)]


def wrong_class(layout: Layout, canvas: int, generator: Generator) -> Layout:
    """One digit is another."""
    labels, (scene, slot) = layout.labels.clone(), _one_slot(layout, generator)
    labels[scene, slot] = (labels[scene, slot] + torch.randint(1, 10, scene.shape, generator=generator)) % 10
    return layout._replace(labels=labels)


def random_classes(layout: Layout, canvas: int, generator: Generator) -> Layout:
    """Right places, any digits (about one in 1,500 of MNIST-4's is right by luck)."""
    return layout._replace(labels=torch.randint(0, 10, layout.labels.shape, generator=generator))


def one_missing(layout: Layout, canvas: int, generator: Generator) -> Layout:
    """One digit is not there."""
    labels = layout.labels.clone()
    labels[_one_slot(layout, generator)] = ABSENT
    return layout._replace(labels=labels)


def one_moved(layout: Layout, canvas: int, generator: Generator) -> Layout:
    """One digit is further along an axis than the rule's tolerance, still in its quadrant. MNIST-10: 0, 1, 8 or 9."""
    ten = layout.labels.shape[1] == 10
    scene, slot = _one_slot(layout, generator, PAIRS if ten else ())
    axis = torch.randint(0, 2, scene.shape, generator=generator)
    least, most = (step * canvas / CANVAS for step in STEPS["mnist10" if ten else "mnist4"])
    low, high = math.ceil(least), math.floor(most)
    step = torch.randint(low, high + 1, scene.shape, generator=generator)
    corners = layout.corners.clone()
    old = corners[scene, slot, axis]
    back = old % (canvas // 2) + step >= free_range(canvas)  # ahead it would leave the quadrant
    corners[scene, slot, axis] = torch.where(back, old - step, old + step)
    return layout._replace(corners=corners)


def two_swapped(layout: Layout, canvas: int, generator: Generator) -> Layout:
    """Two digits trade places. MNIST-10: of a pair and a triple, since others may be free to."""
    ten = layout.labels.shape[1] == 10
    scene, first = _one_slot(layout, generator, PAIRS if ten else ())
    _, second = _one_slot(layout, generator, TRIPLES if ten else (1, 2, 3))
    second = second if ten else (first + second) % 4
    labels = layout.labels.clone()
    labels[scene, first], labels[scene, second] = layout.labels[scene, second], layout.labels[scene, first]
    return layout._replace(labels=labels)


CORRUPTIONS: dict[str, Callable[[Layout, int, Generator], Layout]] = {
    "wrong_class": wrong_class,
    "random_classes": random_classes,
    "one_missing": one_missing,
    "one_moved": one_moved,
    "two_swapped": two_swapped,
}


def judge_metrics(parser: Parser, glyph_set: str, n: int, seed: int) -> dict[str, float]:
    """Shares of n held-out scenes accepted: true ones at 64 and at 128 pixels, spoilt ones at 128, averaged down."""
    metrics: dict[str, float] = {}
    for rule in RULES:
        for size in (CANVAS, PAPER_CANVAS):
            generator, source = Generator().manual_seed(seed), SceneSource(rule, glyph_set, "test", size)
            scenes = source.batch(n, generator)
            metrics[f"true_accept_{rule}_at_{size}"] = _share(parser, scenes.images, rule)
        for name, corruption in CORRUPTIONS.items():
            spoilt = corruption(source.describe(n, generator), PAPER_CANVAS, generator)
            images = source.draw(spoilt, generator).images
            metrics[f"false_accept_{rule}_{name}"] = _share(parser, images, rule)
    return metrics


def parser_metrics(parser: Parser, glyph_set: str, n: int = 2000, seed: int = 0) -> dict[str, float]:
    """All that is measured of a parser, on n scenes of each kind made of the handwriting's test split."""
    bank = glyphs(glyph_set, "test")
    clean, worn = (
        reading(parser, FreeSceneSource(bank, config).batch(n, Generator().manual_seed(seed)))
        for config in (PLAIN, None)
    )
    return {
        "class_accuracy": clean.accuracy,
        "detection_recall": clean.recall,
        "detection_precision": clean.precision,
        "place_error": clean.error,
        "worn_class_accuracy": worn.accuracy,
        "worn_detection_recall": worn.recall,
        "worn_detection_precision": worn.precision,
        **judge_metrics(parser, glyph_set, n, seed),
    }


def _share(parser: Parser, images: Tensor, rule: str) -> float:
    return float(accepts(images, rule, parser).float().mean())
