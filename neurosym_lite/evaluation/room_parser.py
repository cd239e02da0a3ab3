"""Reads rooms off pixels: which solids stand where, with no model and no grammar to help.

A detector of centres (`centres.py`), then a network on the crop around each centre found that names shape, colour and
material, and says which way an arrow points. A centre's place on the picture and its shape's height say where it
stands on the ground. Trained on structure-free rooms (`free_rooms.py`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from neurosym_lite.data.arrow_room import COLOURS
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.evaluation.centres import Found, crops, detector_net, find, halving, peaks
from neurosym_lite.evaluation.free_rooms import SHAPES_READ
from neurosym_lite.evaluation.free_scenes import CANVAS
from neurosym_lite.render.camera import unproject
from neurosym_lite.render.solids import HEIGHTS

BATCH = 100  # rooms read at a time
GLYPHS = "arrow-room"  # the name of its file, where a parser of digits has its handwriting


@dataclass(frozen=True)
class RoomParserConfig:
    """Sizes of the two networks, and what counts as a solid found."""

    detector: int = 32  # channels of the detector
    reader: tuple[int, ...] = (32, 64, 96)  # channels of the reader at each resolution
    crop: int = 20  # pixels, side of what the reader sees: of the nearest solids not all
    slots: int = 8  # solids found at most
    threshold: float = 0.4  # of the map, 0 to 1, for a solid to be there
    apart: int = 2  # cells: of two peaks nearer than this along both axes only the higher is a solid


class SolidLogits(NamedTuple):
    """What the reader says of N crops."""

    shapes: Float[Tensor, "N shapes"]
    """Logits, in the order of SHAPES_READ."""
    colours: Float[Tensor, "N colours"]
    """Logits, in the order of COLOURS."""
    metal: Float[Tensor, "N"]
    """Logit of metal."""
    pointing: Float[Tensor, "N 2"]
    """(cos, sin) of an arrow's heading, of any length."""


class ParsedRooms(NamedTuple):
    """What was read: M slots a room, the surest solid first."""

    shapes: Int[Tensor, "B M"]
    """A number into `render.solids.SHAPES`, or ABSENT (-1)."""
    colours: Int[Tensor, "B M"]
    """A number into COLOURS; 0 where absent."""
    metal: Bool[Tensor, "B M"]
    """Metal, or rubber."""
    places: Float[Tensor, "B M 2"]
    """(x, y) on the ground."""
    headings: Float[Tensor, "B M"]
    """Radians; means something for arrows alone."""
    centres: Float[Tensor, "B M 2"]
    """(x, y) on the picture, in pixels of 64."""
    confidence: Float[Tensor, "B M"]
    """Probability of the shape named; 0 where absent."""


class RoomParser(nn.Module):
    """Reads rooms of 64 x 64 pixels."""

    def __init__(self, config: RoomParserConfig | None = None) -> None:
        super().__init__()
        self.config = config or RoomParserConfig()
        self.detector = detector_net(3, self.config.detector)
        layers, flat = halving(3, self.config.reader, self.config.crop)
        outputs = len(SHAPES_READ) + len(COLOURS) + 3
        self.convolutions = len(layers)
        self.reader = nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, outputs))
        self.to(memory_format=torch.channels_last)

    def detect(self, images: Float[Tensor, "B 3 64 64"]) -> Found:
        """The map of centres, one cell every 2 pixels."""
        return find(self.detector, images)

    def read(
        self, images: Float[Tensor, "B 3 64 64"], scene: Int[Tensor, "N"], centres: Float[Tensor, "N 2"]
    ) -> SolidLogits:
        """What stands at N places (x, y) in pixels, each in image number `scene`."""
        out = self.reader(crops(images, scene, centres, self.config.crop))
        shapes, colours, metal, pointing = out.split([len(SHAPES_READ), len(COLOURS), 1, 2], dim=1)
        return SolidLogits(shapes, colours, metal[:, 0], pointing)

    def trunk(self, images: Float[Tensor, "B 3 64 64"]) -> Float[Tensor, "B F y x"]:
        """The reader's convolutions over whole rooms: what it sees before it names a thing."""
        return self.reader[: self.convolutions](images)

    @torch.no_grad()
    def parse(self, images: Float[Tensor, "B 3 64 64"]) -> ParsedRooms:
        """What each room shows. Images in [0, 1]; expects evaluation mode."""
        parts = [self._parse(batch) for batch in images.split(BATCH)]
        return ParsedRooms(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _parse(self, images: Tensor) -> ParsedRooms:
        config = self.config
        centres, present = peaks(self.detect(images), config.slots, config.threshold, config.apart)
        nothing = torch.zeros(present.shape, device=images.device)
        parsed = ParsedRooms(
            (nothing + ABSENT).long(), nothing.long(), nothing.bool(), 0 * centres, nothing, centres, nothing.clone()
        )
        scene = present.nonzero()[:, 0]
        if not len(scene):
            return parsed
        reading = self.read(images, scene, centres[present])
        best, name = reading.shapes.softmax(-1).max(-1)
        shape = torch.tensor(SHAPES_READ, device=images.device)[name]
        parsed.shapes[present], parsed.confidence[present] = shape, best
        parsed.colours[present], parsed.metal[present] = reading.colours.argmax(-1), reading.metal > 0
        heights = centres.new_tensor(HEIGHTS)[shape]
        parsed.places[present] = unproject(centres[present] / (CANVAS / 2) - 1, heights)
        parsed.headings[present] = torch.atan2(reading.pointing[:, 1], reading.pointing[:, 0])
        return parsed
