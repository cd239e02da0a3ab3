"""Run records: what a run was and what came out of it. A number reaches a page only through one of these."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from neurosym_lite import __version__
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.recipe import Recipe

RESULTS = Path(__file__).resolve().parents[2] / "data" / "results"


@dataclass(frozen=True)
class RunRecord:
    """One run of one recipe."""

    recipe: str
    seed: int
    steps: int
    device: str  # "cpu, 1 thread" or the GPU's name
    minutes: float  # of CPU time on a CPU, of wall time on a GPU; training alone
    package_version: str
    torch_version: str
    date: str  # YYYY-MM-DD, UTC
    parameters: int
    metrics: dict[str, float]
    curve: list[dict[str, int | float]]  # step, minutes, and smoothed terms of the loss
    config: dict[str, Any]
    milestones: list[dict[str, int | float]] = field(default_factory=list)  # metrics of checkpoints kept on the way


def make_record(
    recipe: Recipe,
    *,
    seed: int,
    steps: int,
    device: str,
    minutes: float,
    parameters: int,
    metrics: dict[str, float],
    curve: list[dict[str, int | float]],
) -> RunRecord:
    """A record of a run that ended now, with the versions in use."""
    return RunRecord(
        recipe=recipe.name,
        seed=seed,
        steps=steps,
        device=device,
        minutes=round(minutes, 2),
        package_version=__version__,
        torch_version=torch.__version__.split("+")[0],
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        parameters=parameters,
        metrics=metrics,
        curve=curve,
        config=recipe.as_dict(),
    )


def save_record(path: Path, record: RunRecord) -> None:
    """Write a record as JSON, one curve point a line so that differences can be read."""
    write_atomically(path, as_text(asdict(record), ("milestones", "curve")).encode())


def as_text(plain: dict[str, Any], lists: tuple[str, ...]) -> str:
    """Plain data as JSON, the named lists of points last and a point a line."""
    text = json.dumps({name: value for name, value in plain.items() if name not in lists}, indent=1)[:-2]
    for name in lists:
        rows = ",\n  ".join(json.dumps(point) for point in plain[name])
        text += f',\n "{name}": [\n  {rows}\n ]' if plain[name] else f',\n "{name}": []'
    return f"{text}\n}}\n"


def record_path(name: str) -> Path:
    """Where the committed record of a recipe is, or would be."""
    return RESULTS / f"{name}.json"


def load_record(name: str) -> RunRecord:
    """The committed record of a recipe. Raises FileNotFoundError, saying how to make one, where there is none."""
    path = record_path(name)
    if not path.is_file():
        raise FileNotFoundError(
            f"no run record {path}: records come with the repository; `python -m neurosym_lite train {name}` writes "
            f"runs/{name}/record.json, to be copied there"
        )
    return RunRecord(**json.loads(path.read_text()))
