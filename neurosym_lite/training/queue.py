"""A list of runs in the order in which they matter, and how far each has got.

The list is a JSON file, a run a line, that people reorder by hand and `train-queue` brings up to date. A run is done
when its state has reached the recipe's last step.
"""

import json
import math
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from neurosym_lite.training.checkpoints import CheckpointError, first_checkpoint, read_header, write_atomically
from neurosym_lite.training.keeping import RECORD, STATE
from neurosym_lite.training.recipes import RECIPES, get_recipe

QUEUE = Path(__file__).resolve().parents[2] / "data" / "queue.json"
DEVICES = ("", "cpu", "cuda")


@dataclass(frozen=True)
class Job:
    """A run of the list."""

    recipe: str
    seed: int = 0
    step: int = 0  # that it has got to
    minutes: float = 0.0  # of training until there, as its record counts them
    device: str = ""  # "cpu" or "cuda": where it was begun and has to go on
    problem: str = ""  # the line that it ended with, where it failed

    @property
    def steps(self) -> int:
        """Steps that it takes in all."""
        return RECIPES[self.recipe].steps

    @property
    def done(self) -> bool:
        """Has it reached its last step?"""
        return self.step >= self.steps

    @property
    def name(self) -> str:
        """Name of its folder and its record: the recipe's, with the seed where that is not the recipe's own."""
        return self.recipe if self.seed == RECIPES[self.recipe].seed else f"{self.recipe}-seed{self.seed}"

    def folder(self, runs: Path) -> Path:
        """Where its state, checkpoint, record and log are."""
        return runs / self.name


def read_queue(path: Path) -> list[Job]:
    """The jobs of a file. Raises ValueError, naming the entry, for a file that is not such a list."""
    names = {field.name for field in fields(Job)}
    want = f'expected a list of {{"recipe": NAME, "seed": 0}}, with the keys {", ".join(sorted(names))}'
    try:
        entries = json.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"no queue at {path}: {want}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}): {want}") from error
    if not isinstance(entries, list):
        raise ValueError(f"{path} holds a {type(entries).__name__}: {want}")
    jobs = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not entry.keys() <= names or not isinstance(entry.get("recipe"), str):
            raise ValueError(f"{path}, entry {number} is {json.dumps(entry)[:80]}: {want}")
        if not all(type(entry.get(key, 0)) is int and entry.get(key, 0) >= 0 for key in ("seed", "step")):
            raise ValueError(f"{path}, entry {number}: seed and step have to be whole numbers, 0 or more")
        minutes, known = entry.get("minutes", 0.0), entry.get("device", "") in DEVICES
        if type(minutes) not in (int, float) or not math.isfinite(minutes) or not known:
            raise ValueError(f"{path}, entry {number}: minutes has to be a number, device one of cpu, cuda or nothing")
        if not isinstance(entry.get("problem", ""), str):
            raise ValueError(f"{path}, entry {number}: problem has to be text")
        get_recipe(entry["recipe"])
        jobs.append(Job(**entry))
    if len({job.name for job in jobs}) < len(jobs):
        twice = next(job.name for job in jobs if [other.name for other in jobs].count(job.name) > 1)
        raise ValueError(f"{path} has {twice} twice: each recipe and seed once")
    return jobs


def write_queue(path: Path, jobs: list[Job]) -> None:
    """Write the list, a job a line, without what is at its default."""
    rows = []
    for job in jobs:
        plain = asdict(job)
        kept = {f.name: plain[f.name] for f in fields(Job) if f.name == "recipe" or plain[f.name] != f.default}
        rows.append(json.dumps(kept))
    write_atomically(path, ("[\n " + ",\n ".join(rows) + "\n]\n").encode())


def looked_up(job: Job, runs: Path) -> Job:
    """The job as its state file says it is; unchanged where there is none of this run to be read."""
    try:
        header = read_header(job.folder(runs) / STATE, "state")
        if (header["recipe"], header["seed"]) != (job.recipe, job.seed):
            return job
        return replace(
            job,
            step=max(job.step, int(header["step"])),
            minutes=round(float(header["seconds"]) / 60, 2),
            device=str(header["device"]),
        )
    except (CheckpointError, OSError, KeyError, TypeError, ValueError):
        return job


def can_start(job: Job, runs: Path) -> bool:
    """Is there something to do, and what was done so far at hand?

    A run that another machine began goes on there, or where its state is. One that was stopped after its last step and
    before its record has that left to write. One that goes on from another's weights waits until they are there.
    """
    at_hand = os.path.isfile(job.folder(runs) / STATE)  # False too where nobody may look
    if job.done:
        return at_hand and not _is_recorded(job, runs)
    return at_hand or (job.step == 0 and not waits_for(job, runs))


def waits_for(job: Job, runs: Path) -> str:
    """The recipe whose trained weights a job goes on from, while they are neither shipped nor in `runs`; else ""."""
    recipe = RECIPES[job.recipe]
    return recipe.start if recipe.start and first_checkpoint(recipe, runs) is None else ""


def _is_recorded(job: Job, runs: Path) -> bool:
    """Is there a record of all its steps?"""
    try:
        return json.loads((job.folder(runs) / RECORD).read_text())["steps"] >= job.steps
    except (OSError, ValueError, KeyError, TypeError):
        return False
