"""The renderer of rooms: 32 rooms of 128 x 128 pixels, 2 x 2 rays a pixel."""

from torch import Generator

from benchmarks.entries import MEMORY, SECOND, Entry, alone
from benchmarks.measure import Effort, cpu_milliseconds, peak_mebibytes
from neurosym_lite.data.arrow_room import ArrowRoomSource

GROUP, ROOMS, SIZE = "rooms", 32, 128
REASON = "the paper drew its rooms in Blender, which is not measured here"


def entries(effort: Effort) -> list[Entry]:
    """Rooms a CPU second, and peak memory."""
    source = ArrowRoomSource(SIZE)
    described = source.describe(ROOMS, Generator().manual_seed(0))

    def work() -> None:
        source.draw(described)

    work()
    name = f"{ROOMS} rooms of {SIZE} x {SIZE} pixels"
    least = cpu_milliseconds(work, max(effort.rounds, effort.pairs))
    return [
        alone(GROUP, name, "rooms / CPU s", ROOMS * SECOND / least, REASON, "the fastest of several rounds"),
        alone(GROUP, name, MEMORY, peak_mebibytes(work), REASON, "the largest sum of living tensors"),
    ]
