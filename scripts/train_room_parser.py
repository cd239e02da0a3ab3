"""Trains the parser that judges rooms: `python -m scripts.train_room_parser [--seed 0] [--out data/parsers]`.

Writes parser-arrow-room.safetensors and its record, with what it reads right and wrong in rooms that it never saw and
in rooms broken on purpose. About twenty minutes of one core, of which a quarter draws the rooms.
"""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import Description
from neurosym_lite.evaluation.free_rooms import SHAPES_READ, FreeRooms, draw_free, worn
from neurosym_lite.evaluation.parser import PARSERS, parser_path
from neurosym_lite.evaluation.room_check import room_parser_metrics
from neurosym_lite.evaluation.room_parser import GLYPHS, RoomParser
from neurosym_lite.render.solids import ARROW
from scripts.judges import DECAY, as_record, detector_loss, optimise, ship

ROOMS = 20_000  # free rooms in all, drawn once
CHUNK = 1000  # of them at a time
STEPS, BATCH = 5000, 32
MISS = 1.0  # pixels by which a centre is off, along each axis at most, when the reader learns
REPORT = 250  # steps between points of the curve


def draw_rooms(n: int, generator: Generator) -> FreeRooms:
    """n free rooms."""
    parts = [draw_free(min(CHUNK, n - first), generator) for first in range(0, n, CHUNK)]
    rooms = [part.room for part in parts]
    room = Description(*(torch.cat(column) for column in zip(*rooms, strict=True)))
    return FreeRooms(*(torch.cat(column) for column in list(zip(*parts, strict=True))[:3]), room)


def some(rooms: FreeRooms, rows: Tensor) -> FreeRooms:
    """The rooms of those rows."""
    return FreeRooms(*(part[rows] for part in rooms[:3]), Description(*(part[rows] for part in rooms.room)))


def reader_loss(parser: RoomParser, rooms: FreeRooms, generator: Generator) -> Tensor:
    """Cross-entropies of shape, colour and material, and the error of the way that arrows point."""
    off = MISS * (2 * torch.rand(rooms.centres.shape, generator=generator) - 1)
    seen = rooms.present
    reading = parser.read(rooms.images, seen.nonzero()[:, 0], (rooms.centres + off)[seen])
    shapes = rooms.room.shapes[seen]
    numbers = torch.full((max(SHAPES_READ) + 1,), -1)
    numbers[torch.tensor(SHAPES_READ)] = torch.arange(len(SHAPES_READ))
    arrows = shapes == ARROW
    heading = rooms.room.headings[seen][arrows]
    way = torch.stack([heading.cos(), heading.sin()], dim=1)
    return (
        F.cross_entropy(reading.shapes, numbers[shapes])
        + F.cross_entropy(reading.colours, rooms.room.colours[seen])
        + F.binary_cross_entropy_with_logits(reading.metal, rooms.room.metal[seen].float())
        + (reading.pointing[arrows] - way).square().sum(1).mean()
    )


def train(seed: int, steps: int, count: int, report: int = REPORT) -> tuple[RoomParser, list[dict], float]:
    """A parser of rooms, its curve, and the minutes of processor time it took, those of drawing the rooms included."""
    torch.manual_seed(seed)
    generator = Generator().manual_seed(seed)
    begin = time.process_time()
    rooms, parser = draw_rooms(count, generator), RoomParser()

    def losses() -> dict[str, Tensor]:
        batch = some(rooms, torch.randint(count, (BATCH,), generator=generator))
        batch = batch._replace(images=worn(batch.images, generator))
        finding = detector_loss(parser.detect(batch.images), batch.centres, batch.present)
        return {"detector": finding, "reader": reader_loss(parser, batch, generator)}

    curve = optimise(parser, losses, steps, report, begin)
    return parser.eval(), curve, (time.process_time() - begin) / 60


def main() -> int:
    """Train, ship and record the parser."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--steps", type=int, default=STEPS)
    arguments.add_argument("--rooms", type=int, default=ROOMS)
    arguments.add_argument("--out", type=Path, default=PARSERS, help="folder")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    parser, curve, minutes = train(given.seed, given.steps, given.rooms)
    config = {"parser": asdict(parser.config), "training": {"rooms": given.rooms, "batch": BATCH, "decay": DECAY}}
    about = (GLYPHS, given.seed, given.steps)
    ship(
        given.out / parser_path(GLYPHS).name, parser, *about,
        lambda shipped: as_record(shipped, *about, minutes, room_parser_metrics(shipped), config, curve),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
