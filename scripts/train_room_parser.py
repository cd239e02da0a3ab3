"""Trains the parser that judges rooms: `python -m scripts.train_room_parser [--seed 0] [--out data/parsers]`.

Writes parser-arrow-room.safetensors and its record, with what it reads right and wrong in rooms that it never saw and
in rooms broken on purpose. About twenty minutes of one core, of which a quarter draws the rooms.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from neurosym_lite import __version__
from neurosym_lite.data.arrow_room import Description
from neurosym_lite.evaluation.free_rooms import SHAPES_READ, FreeRooms, draw_free, worn
from neurosym_lite.evaluation.parser import PARSERS, parser_path, read_parser, save_parser
from neurosym_lite.evaluation.room_check import room_parser_metrics
from neurosym_lite.evaluation.room_parser import GLYPHS, RoomParser, RoomParserConfig
from neurosym_lite.render.solids import ARROW
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.records import as_text
from scripts.train_parser import DECAY, detector_loss, learning_rate

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


def train(seed: int, steps: int, count: int) -> tuple[RoomParser, list[dict], float]:
    """A parser of rooms, its curve, and the minutes of processor time it took."""
    torch.manual_seed(seed)
    generator = Generator().manual_seed(seed)
    begin = time.process_time()
    rooms, parser = draw_rooms(count, generator), RoomParser()
    optimiser = torch.optim.AdamW(parser.parameters(), weight_decay=DECAY)
    curve, sums = [], torch.zeros(2)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step + 1, steps)
        batch = some(rooms, torch.randint(count, (BATCH,), generator=generator))
        batch = batch._replace(images=worn(batch.images, generator))
        finding = detector_loss(parser.detect(batch.images), batch.centres, batch.present)
        losses = torch.stack([finding, reader_loss(parser, batch, generator)])
        optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        optimiser.step()
        sums += losses.detach()
        if (step + 1) % REPORT == 0:
            detector, reader = (sums / REPORT).tolist()
            point = {"step": step + 1, "minutes": (time.process_time() - begin) / 60}
            point |= {"detector": detector, "reader": reader}
            curve.append({key: round(value, 4) for key, value in point.items()})
            print(curve[-1], flush=True)
            sums.zero_()
    return parser.eval(), curve, (time.process_time() - begin) / 60


def record(parser: RoomParser, seed: int, steps: int, count: int, curve: list[dict], minutes: float) -> dict:
    """What the run was and what came out, in the shape of the models' run records."""
    return {
        "parser": GLYPHS,
        "seed": seed,
        "steps": steps,
        "device": "cpu, 1 thread",
        "minutes": round(minutes, 2),
        "package_version": __version__,
        "torch_version": torch.__version__.split("+")[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "parameters": sum(weight.numel() for weight in parser.parameters()),
        "metrics": {key: round(value, 5) for key, value in room_parser_metrics(parser).items()},
        "config": {"parser": asdict(RoomParserConfig()), "training": {"rooms": count, "batch": BATCH, "decay": DECAY}},
        "curve": curve,
    }


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
    path = given.out / parser_path(GLYPHS).name
    save_parser(path, parser, GLYPHS, given.seed, given.steps)
    shipped = read_parser(path)  # its weights are float16: what is measured is what is shipped
    full = record(shipped, given.seed, given.steps, given.rooms, curve, minutes)
    write_atomically(path.with_suffix(".json"), as_text(full, ("curve",)).encode())
    print(f"{path}: {path.stat().st_size:,} bytes")
    print(json.dumps(full["metrics"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
