"""Structure accuracy: the share of imagined scenes that obey the rule (GNM, section 4.1), judged from pixels alone.

The authors judged 250 scenes by eye. Here a parser reads a scene (`parser.py`) and the rule is held against what it
read (`data/rules.py`), at 64 x 64 pixels and with places within 3 pixels. The raw rate S is the headline. The parser
errs too, mostly by refusing scenes that are right: it accepts a share t of real scenes that the model under test
reconstructed, so the truth lies between S and S / t. How legible the digits are is another number, their mean
confidence: a scene is never refused for looking soft.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from neurosym_lite.data.rules import validate
from neurosym_lite.data.scenes import ABSENT, core_size
from neurosym_lite.evaluation.centres import crops
from neurosym_lite.evaluation.free_scenes import CANVAS
from neurosym_lite.evaluation.parser import Parsed, Parser

TOLERANCE = 3.0  # pixels of the 64-pixel canvas
Z95 = 1.959964  # standard deviations either side that hold 95 % of a normal distribution
GRID = 4  # cells a side of the models' grid: 16 pixels each
FIRST_CLASSES = 7  # MNIST-4 begins with 0 to 6
PIXELS_LEAST = 2  # digits of a class for a standard deviation of its pixels

Images = UInt8[Tensor, "B C H W"] | Float[Tensor, "B C H W"]


class Interval(NamedTuple):
    """Where a share lies, with 95 % confidence."""

    low: float
    high: float


SIDES = (CANVAS, 2 * CANVAS)  # of scenes that a parser can read


def at_parser_size(images: Images) -> Float[Tensor, "B C 64 64"]:
    """Scenes as the parser reads them: floats in [0, 1] at 64 pixels; 128 is averaged over squares of 2 x 2.

    Takes uint8, or floats in [0, 1] (where glimpses are added up they may pass 1). Raises ValueError for another size,
    and for floats that count to 255.
    """
    images = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    height, width = images.shape[-2:]
    if len(images) and (brightest := float(images.amax())) > GRID**2:  # no sum of a glimpse a cell is as bright
        raise ValueError(f"scenes as bright as {brightest:g}: expected uint8, or floats in [0, 1]")
    if height != width or height not in SIDES:
        raise ValueError(f"scenes of {height} x {width} pixels: expected {CANVAS} x {CANVAS} or twice that")
    return F.avg_pool2d(images, height // CANVAS)


def obeys(parsed: Parsed, rule: str) -> Bool[Tensor, "B"]:
    """Which read scenes obey the rule, places within 3 pixels. Raises ValueError for an unknown rule."""
    return validate(rule, parsed.labels, parsed.centres, CANVAS, TOLERANCE)


def accepts(images: Images, rule: str, parser: Parser) -> Bool[Tensor, "B"]:
    """Which scenes show the rule ("mnist1", "mnist4", "mnist10", "mnist4-10": either), by the parser's reading.

    Images are uint8, or floats in [0, 1], of 64 x 64 or 128 x 128 pixels, white ink on black. Raises ValueError for
    others, and for another rule.
    """
    return obeys(parser.parse(at_parser_size(images)), rule)


def wilson(successes: int, n: int) -> Interval:
    """The 95 % interval of a share from `successes` of `n` (Wilson 1927), good near 0 and 1 too.

    Raises ValueError without 0 <= successes <= n and n > 0.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n}: expected 0 <= successes <= n and n > 0")
    share, weight = successes / n, Z95**2 / n
    middle = (share + weight / 2) / (1 + weight)
    reach = Z95 / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return Interval(middle - reach if successes else 0.0, middle + reach if successes < n else 1.0)


def rogan_gladen(rate: float, true_accept: float, false_accept: float) -> float:
    """The share of right scenes behind an accepted share: (S - f) / (t - f), cut to [0, 1] (Rogan and Gladen 1978).

    `rate` is S, `true_accept` t the share of right scenes that is accepted, `false_accept` f that of wrong ones.
    Raises ValueError unless t > f: a judge that accepts wrong scenes as often as right ones tells nothing.
    """
    if true_accept <= false_accept:
        raise ValueError(f"true-accept rate {true_accept} is not above the false-accept rate {false_accept}")
    return min(1.0, max(0.0, (rate - false_accept) / (true_accept - false_accept)))


def structure_metrics(
    samples: Images,
    reconstructions: UInt8[Tensor, "R 1 H W"] | Float[Tensor, "R 1 H W"],
    rule: str,
    parser: Parser,
) -> dict[str, float]:
    """All about the structure of a model's samples.

    `samples` are imagined scenes; `reconstructions` are the same model's of held-out scenes that obey the rule: they
    have its softness and a known truth, so the share accepted of them is the parser's true-accept rate t.

    - `structure_accuracy` S, the share accepted, with its 95 % interval `structure_low`, `structure_high`
    - `structure_true_accept` t with its interval `structure_true_low`, `structure_true_high`; `structure_corrected`
      min(1, S / t)
    - `structure_confidence`: mean probability of the class read, over all digits read in samples (legibility)
    - `structure_spread`: standard deviation of a pixel over the accepted digits of a class, mean over pixels and
      classes (diversity of handwriting; pixels in [0, 1])
    - `structure_places`: standard deviation in pixels of the places read, about the mean place of their 16-pixel cell
      (a model that knows slots instead of places has little)
    - `structure_classes`: entropy of the first digit's class in accepted scenes of four, 1 where all seven come
      equally often; not for "mnist10"

    Spread, places and classes are 0 where there is nothing to measure.
    Raises ValueError for an unknown rule, a size that is not read, or no images.
    """
    if not len(samples) or not len(reconstructions):
        raise ValueError(f"{len(samples)} samples, {len(reconstructions)} reconstructions: expected some of each")
    images = at_parser_size(samples)
    parsed = parser.parse(images)
    accepted = obeys(parsed, rule)
    confidence = parsed.confidence[parsed.labels != ABSENT]
    metrics = rates(accepted, accepts(reconstructions, rule, parser)) | {
        "structure_confidence": float(confidence.mean()) if len(confidence) else 0.0,
        "structure_spread": handwriting_spread(images, parsed, accepted),
        "structure_places": place_spread(parsed),
    }
    if rule != "mnist10":
        metrics["structure_classes"] = class_entropy(parsed.labels[accepted])
    return metrics


def rates(accepted: Bool[Tensor, "B"], real_accepted: Bool[Tensor, "R"]) -> dict[str, float]:
    """S and t with their intervals, and S / t."""
    rate, low, high = share(accepted)
    true_accept, true_low, true_high = share(real_accepted)
    return {
        "structure_accuracy": rate,
        "structure_low": low,
        "structure_high": high,
        "structure_true_accept": true_accept,
        "structure_true_low": true_low,
        "structure_true_high": true_high,
        "structure_corrected": rogan_gladen(rate, true_accept, 0.0) if true_accept else 0.0,
    }


def share(verdicts: Bool[Tensor, "B"]) -> tuple[float, float, float]:
    """The share that is accepted, and the ends of its 95 % interval."""
    return float(verdicts.float().mean()), *wilson(int(verdicts.sum()), len(verdicts))


def handwriting_spread(images: Float[Tensor, "B 1 64 64"], parsed: Parsed, accepted: Bool[Tensor, "B"]) -> float:
    """Standard deviation of a pixel among the digits of a class in accepted scenes: mean over 10 x 10 pixels, classes.

    Digits are cut out around the nearest pixel corner. 0 where no class has two.
    """
    scene, slot = ((parsed.labels != ABSENT) & accepted[:, None]).nonzero(as_tuple=True)
    cut = crops(images, scene, parsed.centres[scene, slot], core_size(CANVAS))
    labels = parsed.labels[scene, slot]
    each = [cut[labels == digit] for digit in range(10)]
    spreads = [of.std(0).mean() for of in each if len(of) >= PIXELS_LEAST]
    return float(torch.stack(spreads).mean()) if spreads else 0.0


def place_spread(parsed: Parsed) -> float:
    """Standard deviation in pixels, along an axis, of digits' places about the mean place in their 16-pixel cell.

    4.6 for places that fill the cells evenly; 0 where nothing was read.
    """
    centres = parsed.centres[parsed.labels != ABSENT]
    if not len(centres):
        return 0.0
    column, row = (centres / (CANVAS / GRID)).long().clamp(0, GRID - 1).unbind(1)
    cell = row * GRID + column
    count = torch.zeros(GRID**2).index_add(0, cell, torch.ones(len(cell)))
    mean = torch.zeros(GRID**2, 2).index_add(0, cell, centres) / count.clamp(min=1)[:, None]
    return float((centres - mean[cell]).square().mean().sqrt())


def class_entropy(labels: Int[Tensor, "A M"]) -> float:
    """Entropy of the first class c in MNIST-4 scenes over log 7; `labels` are of accepted scenes, others are left out.

    0 where there is none, or only one class.
    """
    present = labels != ABSENT
    four = present.sum(1) == 4
    first = labels.masked_fill(~present, FIRST_CLASSES - 1)[four].amin(1)
    return evenness(first, FIRST_CLASSES)


def evenness(values: Int[Tensor, "A"], kinds: int) -> float:
    """Entropy of numbers below `kinds`, over log `kinds`: 1 where all come equally often, 0 for one or none."""
    share = torch.bincount(values, minlength=kinds).double() / max(len(values), 1)
    return float(-torch.xlogy(share, share).sum() / math.log(kinds)) + 0.0
