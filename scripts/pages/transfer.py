"""What transfer's runs measured, read from the run records: cells of a train set by test set matrix, and who is ahead.

Everything here is a function of records, so that the page's words (`transfer_words.py`) hold no number of ours.
"""

import math
from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from neurosym_lite.training.transfer_recipes import SETS
from scripts.pages.cells import NOT_RUN
from scripts.pages.records import Record, middle, runs_of

FIGURE_4 = {"DooD": "dood", "Difference-AIR": "difference-air", "AIR": "air"}
ABLATED = {"DooD-EG": "dood-eg", "DooD-dR": "dood-dr", "independent prior": "dood-independent"}
MOVED = {"DooD": "dood-moved", "Difference-AIR": "difference-air-moved"}
HOME = "mnist"
LIKELIHOOD, ERROR, STROKES, CEILING = "likelihood_on", "relative_l1_on", "parts_on", "likelihood_ceiling"
SIGN = {LIKELIHOOD: 1, ERROR: -1}  # more is better, less is better
CELLS = [(source, target) for source in SETS for target in SETS]


class Wins(NamedTuple):
    """On how many of how many cells a model is ahead."""

    ahead: int
    of: int

    def __str__(self) -> str:
        return f"{self.ahead} of {self.of}" if self.of else NOT_RUN


def recipe_name(kind: str, source: str) -> str:
    """The recipe of a model that learns a set."""
    return f"{kind}-{source}-short"


def value(kind: str, source: str, measure: str, target: str, records: list[Record]) -> float | None:
    """A cell of a matrix, mean over seeds."""
    return middle(runs_of(recipe_name(kind, source), records), f"{measure}_{target}")


def compared(
    kind: str, rival: str, measure: str, cells: Iterable[tuple[str, str]], records: list[Record]
) -> list[tuple[str, str, bool]]:
    """Of the cells that both models were run for: trained on, tried on, and whether `kind` is ahead."""
    found = []
    for source, target in cells:
        mine, theirs = (value(k, source, measure, target, records) for k in (kind, rival))
        if mine is not None and theirs is not None:
            found.append((source, target, SIGN[measure] * (mine - theirs) > 0))
    return found


def wins(rival: str, measure: str, own: bool, records: list[Record]) -> Wins:
    """Of DooD, on the diagonal or off it."""
    cells = [pair for pair in CELLS if (pair[0] == pair[1]) == own]
    found = compared("dood", rival, measure, cells, records)
    return Wins(sum(ahead for *_, ahead in found), len(found))


def diagonal(kind: str, records: list[Record]) -> Wins:
    """In how many columns, of those that were all run, the highest likelihood is that of the set's own model."""
    columns = {t: {s: value(kind, s, LIKELIHOOD, t, records) for s in SETS} for t in SETS}
    whole = {target: column for target, column in columns.items() if None not in column.values()}
    return Wins(sum(max(column, key=column.get) == target for target, column in whole.items()), len(whole))


def elsewhere(kind: str, source: str, measure: str, records: list[Record]) -> float | None:
    """Mean over the sets that were not learned."""
    values = [value(kind, source, measure, target, records) for target in SETS if target != source]
    return None if None in values else sum(values) / len(values)


def worst_sources(kind: str, records: list[Record]) -> list[str]:
    """Sets to learn from, the worst first; empty where one is missing.

    By how far a source is above the mean of the others that a set was read by, over the four sets: nats differ from set
    to set, and the means of two rows leave different sets out.
    """
    nats = {pair: value(kind, pair[0], LIKELIHOOD, pair[1], records) for pair in CELLS if pair[0] != pair[1]}
    if None in nats.values():
        return []
    usual = {target: fmean(nats[source, target] for source in SETS if source != target) for target in SETS}
    above = {s: fmean(nats[s, target] - usual[target] for target in SETS if target != s) for s in SETS}
    return sorted(above, key=above.get)


def way(record: Record, target: str, ink: float) -> float:
    """How far from a blank page (0) to the ceiling (1) the likelihood of a run is."""
    ceiling = record["metrics"][CEILING]
    scale = math.exp(-ceiling) / 2
    return 1 - (ceiling - record["metrics"][f"{LIKELIHOOD}_{target}"]) * scale / ink
