"""What does z_g know of a scene? Scenes are told to it and read back from it, and the parser looks what is left.

A held-out scene goes up to z_g (the mean of q(z_g | x)) and comes down as symbols (the mode of p(z_s | z_g)), drawn.
Each true digit is then looked for among those that are read off the picture.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosym_lite.data.rules import PAIRS, TRIPLES
from neurosym_lite.data.scenes import Scenes
from neurosym_lite.evaluation.free_scenes import CANVAS
from neurosym_lite.evaluation.parser import Parsed, Parser
from neurosym_lite.evaluation.structure import at_parser_size
from neurosym_lite.models.gnm import GNM

HALF_A_CELL = 8.0  # pixels of the 64-pixel canvas
TEN = 10  # digits that an MNIST-10 scene has
BATCH = 100  # scenes at a time


class Recalled(NamedTuple):
    """Which digits of each scene came back."""

    quadrant: Bool[Tensor, "B N"]
    """A digit of that class in that quadrant."""
    place: Bool[Tensor, "B N"]
    """A digit of that class within half a cell of its place."""


@torch.no_grad()
def through_code(model: GNM, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """The images as z_g remembers them: mean of q(z_g | x), mode of p(z_s | z_g), drawn."""
    return model.imagined(model.globals.infer(model.infer(images, mode=True).features, mode=True)).images


def recalled(parsed: Parsed, scenes: Scenes) -> Recalled:
    """Each true digit, looked for among those that were read."""
    scale = CANVAS / scenes.images.shape[-1]
    true = (scenes.boxes[..., :2] + scenes.boxes[..., 2:]) / 2 * scale
    same_class = scenes.labels[:, :, None] == parsed.labels[:, None]
    same_quadrant = ((true[:, :, None] < CANVAS / 2) == (parsed.centres[:, None] < CANVAS / 2)).all(-1)
    near = (true[:, :, None] - parsed.centres[:, None]).norm(dim=-1) <= HALF_A_CELL
    return Recalled((same_class & same_quadrant).any(2), (same_class & near).any(2))


def recall_metrics(model: GNM, scenes: Scenes, parser: Parser) -> dict[str, float]:
    """Shares of true digits that came back: in their quadrant, and in their place; for MNIST-10 also by kind of digit.

    - `recall_quadrant`, `recall_place`: of all digits
    - `recall_pairs`, `recall_triples`: places of {0, 1, 8, 9} and of {2, ..., 7} (scenes of ten digits alone)
    """
    parts = [through_code(model, batch.float() / 255) for batch in scenes.images.split(BATCH)]
    found = recalled(parser.parse(at_parser_size(torch.cat(parts))), scenes)
    metrics = {f"recall_{name}": _share(hits, scenes.present) for name, hits in found._asdict().items()}
    ten = scenes.present.sum(1) == TEN
    if ten.any():
        labels = scenes.labels[ten]
        for name, members in (("pairs", PAIRS), ("triples", TRIPLES)):
            metrics[f"recall_{name}"] = _share(found.place[ten], torch.isin(labels, torch.tensor(members)))
    return metrics


def _share(hits: Bool[Tensor, "B N"], of: Bool[Tensor, "B N"]) -> float:
    return float(hits[of].float().mean())
