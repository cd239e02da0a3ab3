"""Reads scenes off pixels: which digits are where, with no model and no rule to help.

A detector of centres (`centres.py`), then a classifier on the crop around each centre found. It was trained on
structure-free scenes (`free_scenes.py`), so it cannot fill a rule in; it always names the likeliest digit and rejects
none: a class for "no digit" would learn the softness of generated images instead of their legibility.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.evaluation.centres import Found, crops, detector_net, find, halving, peaks
from neurosym_lite.evaluation.room_parser import RoomParser, RoomParserConfig
from neurosym_lite.training.checkpoints import CheckpointError, fill, read_file, write_file

PARSERS = Path(__file__).resolve().parents[2] / "data" / "parsers"
KIND = "parser"
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


class Parser(nn.Module):
    """Reads greyscale scenes of 64 x 64 pixels with digits of about 10 pixels."""

    def __init__(self, config: ParserConfig | None = None) -> None:
        super().__init__()
        self.config = config or ParserConfig()
        self.detector = detector_net(1, self.config.detector)
        layers, flat = halving(1, self.config.classifier, self.config.crop)
        self.classifier = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(flat, 10))
        self.convolutions = len(layers)  # layers before the digits' scores
        self.to(memory_format=torch.channels_last)  # a third faster on a CPU

    def detect(self, images: Float[Tensor, "B 1 64 64"]) -> Found:
        """The map of centres, one cell every 2 pixels."""
        return find(self.detector, images)

    def classify(
        self, images: Float[Tensor, "B 1 64 64"], scene: Int[Tensor, "N"], centres: Float[Tensor, "N 2"]
    ) -> Float[Tensor, "N 10"]:
        """Logits of the ten digits for N places (x, y) in pixels, each in image number `scene`."""
        return self.classifier(crops(images, scene, centres, self.config.crop))

    def trunk(self, images: Float[Tensor, "B 1 64 64"]) -> Float[Tensor, "B F y x"]:
        """The classifier's convolutions over whole scenes: what it sees before it names a digit."""
        return self.classifier[: self.convolutions](images)

    @torch.no_grad()
    def parse(self, images: Float[Tensor, "B 1 64 64"]) -> Parsed:
        """What each scene shows. Images in [0, 1]; expects evaluation mode (`load_parser` gives it)."""
        parts = [self._parse(batch) for batch in images.split(BATCH)]
        return Parsed(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _parse(self, images: Tensor) -> Parsed:
        config = self.config
        centres, present = peaks(self.detect(images), config.slots, config.threshold, config.apart)
        labels = torch.full(present.shape, ABSENT, device=images.device)
        confidence = torch.zeros(present.shape, device=images.device)
        scene = present.nonzero()[:, 0]
        if len(scene):
            best, name = self.classify(images, scene, centres[present]).softmax(-1).max(-1)
            labels[present], confidence[present] = name, best
        return Parsed(labels, centres, confidence)


def parser_path(glyphs: str) -> Path:
    """Where the shipped parser of a handwriting is; "mnist-second" is the one that checks "mnist"."""
    return PARSERS / f"parser-{glyphs}.safetensors"


def save_parser(path: Path, parser: Parser | RoomParser, glyphs: str, seed: int, steps: int) -> None:
    """Ship a parser: float16 weights and a JSON header, in the format of the checkpoints."""
    half = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in parser.state_dict().items()
    }
    write_file(path, KIND, half, glyphs=glyphs, seed=seed, steps=steps, config=asdict(parser.config))


def read_parser(path: Path) -> Parser | RoomParser:
    """The parser in a file, in evaluation mode. Raises CheckpointError for anything else, or other sizes."""
    tensors, header = read_file(path, KIND)
    known = {json.dumps(asdict(config)): config for config in (ParserConfig(), SECOND, RoomParserConfig())}
    if (written := json.dumps(header.get("config"))) not in known:
        raise CheckpointError(f"{path} was trained with other settings than this version has: train it again")
    with torch.random.fork_rng(devices=[]):
        config = known[written]
        parser = RoomParser(config) if isinstance(config, RoomParserConfig) else Parser(config)
    fill(parser, tensors, path)
    return parser.eval().requires_grad_(False)


@cache
def load_parser(glyphs: str) -> Parser | RoomParser:
    """The shipped parser of a handwriting ("digits", "mnist") or of rooms ("arrow-room"), in evaluation mode.

    Read once a process. Raises CheckpointError where there is none, or where it cannot be read.
    """
    path = parser_path(glyphs)
    if not path.is_file():
        shipped = sorted(file.stem.removeprefix("parser-") for file in PARSERS.glob("parser-*.safetensors"))
        raise CheckpointError(
            f"no parser reads {glyphs!r} ({path} is missing): expected one of {', '.join(shipped) or 'none'}, "
            f"or train it with `python -m scripts.train_parser {glyphs}` (rooms: scripts.train_room_parser)"
        )
    return read_parser(path)
