"""The run records that pages are made from, and the papers' tables beside them."""

import json
from pathlib import Path
from statistics import mean

from scripts.toc import ROOT

RECORDS = ROOT / "data" / "results"
PUBLISHED = ROOT / "data" / "published.json"
CONTROLS = RECORDS / "controls.json"  # real scenes where models are measured
AGAIN = RECORDS / "again"  # recipes and seeds that have a record, trained again on another machine
# what lies beside the run records and is none
NOT_RECORDS = (
    "benchmarks.json", "gpu.json", CONTROLS.name, "arrow_room_fidelity.json", "one_shot_controls.json",
    "transfer_controls.json", "critics.json",
)  # fmt: skip
Record = dict


def load_records(folder: Path = RECORDS) -> list[Record]:
    """All run records, each with its file's name under `file`, sorted by recipe and seed."""
    paths = [path for path in folder.glob("*.json") if path.name not in NOT_RECORDS]
    records = [json.loads(path.read_text(encoding="utf-8")) | {"file": path.name} for path in paths]
    return sorted(records, key=lambda record: (record["recipe"], record["seed"], record["file"]))


def load_again() -> list[Record]:
    """The records of runs that were trained again on another machine."""
    return [record | {"file": f"{AGAIN.name}/{record['file']}"} for record in load_records(AGAIN)]


def runs_of(name: str, records: list[Record]) -> list[Record]:
    """All seeds of a recipe that have been measured, the first seed first."""
    return sorted((r for r in records if r["recipe"] == name and r["metrics"]), key=lambda r: r["seed"])


def middle(runs: list[Record], key: str) -> float | None:
    """Mean of a metric over seeds; None where it was not measured."""
    values = [run["metrics"][key] for run in runs if key in run["metrics"]]
    return mean(values) if values else None


def of_controls(metrics: dict[str, float]) -> Record:
    """What was measured of real scenes, where a run's numbers are expected."""
    return {"metrics": metrics, "file": CONTROLS.name}
