"""Reads scenes off pixels: which digits are where, with no model and no rule to help.

A detector (a map of where digits' centres are, as in CenterNet, Zhou et al. 2019, with the way to the centre from each
cell), then a classifier on the crop around each centre found. It was trained on structure-free scenes
(`free_scenes.py`), so it cannot fill a rule in; it always names the likeliest digit and rejects none: a class for
"no digit" would learn the softness of generated images instead of their legibility.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.evaluation.free_scenes import CANVAS
from neurosym_lite.training.checkpoints import CheckpointError, fill, read_file, write_file

PARSERS = Path(__file__).resolve().parents[2] / "data" / "parsers"
KIND = "parser"
CELL = 2  # pixels a cell of the detector's map
DROPOUT = 0.3  # before the classifier's last layer
BATCH = 100  # scenes read at a time


@dataclass(frozen=True)
class ParserConfig:
    """Sizes of the two networks, and what counts as a digit found."""

    detector: int = 32  # channels of the detector
    classifier: tuple[int, ...] = (16, 64, 128)  # channels of the classifier at each resolution
    crop: int = 14  # pixels, side of what the classifier sees: a core of 10 and 2 around it
    slots: int = 16  # digits found at most
    threshold: float = 0.4  # of the map, 0 to 1, for a digit to be there
    apart: int = 2  # cells: of two peaks nearer than this along both axes only the higher is a digit


SECOND = ParserConfig(detector=24, classifier=(32, 96), crop=12)  # of the parser that checks the first one


class Parsed(NamedTuple):
    """What was read: M slots a scene, the surest digit first."""

    labels: Int[Tensor, "B M"]
    """Digit class, or ABSENT (-1)."""
    centres: Float[Tensor, "B M 2"]
    """(x, y) of the digit's centre in pixels of the 64-pixel canvas, pixel i covering [i, i + 1); 0 where absent."""
    confidence: Float[Tensor, "B M"]
    """Probability of the class named, among the ten; 0 where absent."""


class Found(NamedTuple):
    """The detector's answer a cell."""

    heat: Float[Tensor, "B G G"]
    """Logit of a digit's centre being here."""
    way: Float[Tensor, "B G G 2"]
    """From the cell's middle to the centre of its digit, (x, y) in pixels."""


class Parser(nn.Module):
    """Reads greyscale scenes of 64 x 64 pixels with digits of about 10 pixels."""

    def __init__(self, config: ParserConfig | None = None) -> None:
        super().__init__()
        self.config = config or ParserConfig()
        c = self.config.detector
        self.detector = nn.Sequential(
            nn.PixelUnshuffle(CELL),
            *_block(CELL**2, c),
            *_block(c, c),
            *_block(c, c, dilation=2),
            *_block(c, c, dilation=2),
            nn.Conv2d(c, 3, 1),
        )
        layers: list[nn.Module] = []
        before = 1
        for width in self.config.classifier:
            layers += [*_block(before, width), *_block(width, width), nn.MaxPool2d(2, ceil_mode=True)]
            before = width
        # each halving is rounded up: three of 14 pixels leave 2
        side = -(-self.config.crop // 2 ** len(self.config.classifier))
        self.classifier = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(before * side**2, 10))
        self.convolutions = len(layers)  # layers before the digits' scores
        self.to(memory_format=torch.channels_last)  # a third faster on a CPU

    def detect(self, images: Float[Tensor, "B 1 64 64"]) -> Found:
        """The map of centres, one cell every 2 pixels."""
        out = self.detector(images)
        return Found(out[:, 0], out[:, 1:].movedim(1, -1))

    def classify(
        self, images: Float[Tensor, "B 1 64 64"], scene: Int[Tensor, "N"], centres: Float[Tensor, "N 2"]
    ) -> Float[Tensor, "N 10"]:
        """Logits of the ten digits for N places, each in image number `scene`; centres (x, y) in pixels.

        Crops are whole pixels around the nearest pixel corner, so nothing is blurred by resampling.
        """
        crop = self.config.crop
        padded = F.pad(images[:, 0], (crop // 2,) * 4)
        start = centres.round().long().clamp(0, CANVAS)
        step = torch.arange(crop, device=images.device)
        rows, columns = start[:, 1, None] + step, start[:, 0, None] + step
        return self.classifier(padded[scene[:, None, None], rows[:, :, None], columns[:, None]][:, None])

    def trunk(self, images: Float[Tensor, "B 1 64 64"]) -> Float[Tensor, "B F y x"]:
        """The classifier's convolutions over whole scenes: what it sees before it names a digit."""
        return self.classifier[: self.convolutions](images)

    @torch.no_grad()
    def parse(self, images: Float[Tensor, "B 1 64 64"]) -> Parsed:
        """What each scene shows. Images in [0, 1]; expects evaluation mode (`load_parser` gives it)."""
        parts = [self._parse(batch) for batch in images.split(BATCH)]
        return Parsed(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _parse(self, images: Tensor) -> Parsed:
        config, found = self.config, self.detect(images)
        heat = found.heat.sigmoid()
        window = 2 * config.apart + 1
        highest = F.max_pool2d(found.heat[:, None], window, 1, config.apart)[:, 0]
        peak = (found.heat == highest) & (heat > config.threshold)
        height, cell = (heat * peak).flatten(1).topk(config.slots, dim=1)
        present = height > 0
        size = heat.shape[-1]
        middle = torch.stack([cell % size, cell // size], dim=-1) * CELL + CELL / 2
        way = found.way.flatten(1, 2).gather(1, cell[..., None].expand(-1, -1, 2))
        centres = (middle + way).clamp(0, CANVAS) * present[..., None]
        labels = torch.full_like(cell, ABSENT)
        confidence = torch.zeros_like(height)
        scene = present.nonzero()[:, 0]
        if len(scene):
            best, name = self.classify(images, scene, centres[present]).softmax(-1).max(-1)
            labels[present], confidence[present] = name, best
        return Parsed(labels, centres, confidence)


def _block(inputs: int, outputs: int, dilation: int = 1) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False)
    return conv, nn.BatchNorm2d(outputs), nn.ReLU()


def parser_path(glyphs: str) -> Path:
    """Where the shipped parser of a handwriting is; "mnist-second" is the one that checks "mnist"."""
    return PARSERS / f"parser-{glyphs}.safetensors"


def save_parser(path: Path, parser: Parser, glyphs: str, seed: int, steps: int) -> None:
    """Ship a parser: float16 weights and a JSON header, in the format of the checkpoints."""
    half = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in parser.state_dict().items()
    }
    write_file(path, KIND, half, glyphs=glyphs, seed=seed, steps=steps, config=asdict(parser.config))


def read_parser(path: Path) -> Parser:
    """The parser in a file, in evaluation mode. Raises CheckpointError for anything else, or other sizes."""
    tensors, header = read_file(path, KIND)
    known = {json.dumps(asdict(config)): config for config in (ParserConfig(), SECOND)}
    if (written := json.dumps(header.get("config"))) not in known:
        raise CheckpointError(f"{path} was trained with other settings than this version has: train it again")
    with torch.random.fork_rng(devices=[]):
        parser = Parser(known[written])
    fill(parser, tensors, path)
    return parser.eval().requires_grad_(False)


@cache
def load_parser(glyphs: str) -> Parser:
    """The shipped parser of a handwriting ("digits", "mnist"), in evaluation mode; read once a process.

    Raises CheckpointError where there is none, or where it cannot be read.
    """
    path = parser_path(glyphs)
    if not path.is_file():
        shipped = sorted(file.stem.removeprefix("parser-") for file in PARSERS.glob("parser-*.safetensors"))
        raise CheckpointError(
            f"no parser reads {glyphs!r} ({path} is missing): expected one of {', '.join(shipped) or 'none'}, "
            f"or train it with `python -m scripts.train_parser {glyphs}`"
        )
    return read_parser(path)
