"""Time to structure accuracy, from the milestones of the committed run records. Nothing is trained here."""

import json

from benchmarks.entries import Entry
from benchmarks.measure import FULL, Effort
from neurosym_lite.training.records import RESULTS, RunRecord, load_record
from scripts.milestones import SAMPLES

GROUP, LEVELS = "structure", (0.5, 0.8, 0.9)
PAPER = "-paper"  # a recipe's name with this at its end is the same recipe trained the paper's way
HOW = (
    "read from the run records: CPU minutes of training up to the first kept checkpoint that has this structure "
    f"accuracy or more, over {SAMPLES} scenes drawn as the paper draws them; between two checkpoints nobody looked"
)


def reached(record: RunRecord, level: float) -> float | None:
    """CPU minutes up to the first checkpoint that has at least this accuracy; None where none has."""
    minutes = [point["minutes"] for point in record.milestones if point["structure_accuracy"] >= level]
    return min(minutes, default=None)


def measured_records() -> list[RunRecord]:
    """Committed runs on a CPU that have milestones, the paper's way left out."""
    plain = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    wanted = [
        name for name, record in plain.items()
        if record.get("milestones") and record["device"].startswith("cpu") and not name.endswith(PAPER)
    ]  # fmt: skip
    return [load_record(name) for name in wanted]


def beside(name: str, level: float) -> tuple[float | None, str, str]:
    """The run trained the paper's way: its minutes, what it is, and a word where it has none."""
    paper = f"{name}{PAPER}"
    if not (RESULTS / f"{paper}.json").is_file():
        return None, "no run on this data was trained the paper's way", "none"
    record = load_record(paper)
    if (minutes := reached(record, level)) is not None:
        return minutes, f"`{paper}`, trained the paper's way", ""
    best = max([record.metrics["structure_accuracy"], *(p["structure_accuracy"] for p in record.milestones)])
    return None, f"`{paper}`, trained the paper's way: {best:g} at best in {record.minutes:g} minutes", "not reached"


def entries(effort: Effort = FULL) -> list[Entry]:
    """An entry a run and level."""
    return [
        Entry(
            f"{level} by `{record.recipe}` ({record.minutes:g} min in all)", GROUP, "CPU minutes",
            reached(record, level), minutes, against, HOW, missing,
        )
        for record in measured_records()
        for level in LEVELS
        for minutes, against, missing in [beside(record.recipe, level)]
    ]  # fmt: skip
