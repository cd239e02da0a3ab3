"""Structure accuracy in Arrow Room: the share of imagined rooms that obey the grammar, judged from pixels alone.

As `structure.py` for digits: a parser reads the room, the grammar is held against what it read
(`data/arrow_rule.py`). The authors judged by eye whether the arrow points at the odd one out.
"""

from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neurosym_lite.data.arrow_room import COLOURS
from neurosym_lite.data.arrow_rule import Verdict, judge
from neurosym_lite.data.scenes import ABSENT
from neurosym_lite.evaluation.room_parser import ParsedRooms, RoomParser
from neurosym_lite.evaluation.structure import at_parser_size, evenness, rates

Rooms = UInt8[Tensor, "B 3 H W"] | Float[Tensor, "B 3 H W"]


def verdict(parsed: ParsedRooms) -> Verdict:
    """Which parts of the grammar each read room obeys."""
    return judge(parsed.shapes, parsed.metal, parsed.places, parsed.headings)


def accepts_rooms(images: Rooms, parser: RoomParser) -> Bool[Tensor, "B"]:
    """Which rooms obey the grammar, by the parser's reading. Raises ValueError for a size that is not read."""
    return verdict(parser.parse(at_parser_size(images))).obeyed()


def room_structure_metrics(
    samples: Rooms,
    reconstructions: UInt8[Tensor, "R 3 H W"] | Float[Tensor, "R 3 H W"],
    parser: RoomParser,
) -> dict[str, float]:
    """All about the structure of a model's rooms.

    `reconstructions` are the same model's of rooms that obey the grammar; the share accepted of them is the parser's
    true-accept rate t.

    - `structure_accuracy` S, the share accepted, with its 95 % interval `structure_low`, `structure_high`
    - `structure_true_accept` t; `structure_corrected` min(1, S / t)
    - `structure_count`, `_shapes`, `_material`, `_nearest`, `_pointing`: shares that obey each part of the grammar
    - `structure_confidence`: mean probability of the shape read, over all solids read in samples
    - `structure_colours`: entropy of the colours read over log 8, 1 where all come equally often

    Raises ValueError for a size that is not read, or no images.
    """
    if not len(samples) or not len(reconstructions):
        raise ValueError(f"{len(samples)} samples, {len(reconstructions)} reconstructions: expected some of each")
    parsed = parser.parse(at_parser_size(samples))
    judged = verdict(parsed)
    parts = {f"structure_{name}": float(part.float().mean()) for name, part in judged._asdict().items()}
    present = parsed.shapes != ABSENT
    confidence = parsed.confidence[present]
    return (
        rates(judged.obeyed(), accepts_rooms(reconstructions, parser))
        | parts
        | {
            "structure_confidence": float(confidence.mean()) if len(confidence) else 0.0,
            "structure_colours": evenness(parsed.colours[present], len(COLOURS)),
        }
    )
