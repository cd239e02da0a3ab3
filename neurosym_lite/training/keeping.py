"""A run's files, and checkpoints on the way: one every so many steps, of these only the newest, and the best one."""

from dataclasses import dataclass
from pathlib import Path

from neurosym_lite.training.checkpoints import CHECKPOINT, STATE, save_checkpoint
from neurosym_lite.training.run import Run, check_steps, check_weights, shipped_weights

__all__ = ["BEST", "CANDIDATE", "CHECKPOINT", "FOLDER", "RECORD", "STATE", "Keeper", "kept"]

RECORD = "record.json"  # in a run's folder
FOLDER = "kept"  # in a run's folder
BEST = "best.safetensors"  # in the run's folder
CANDIDATE = "candidate.safetensors"  # in the run's folder: a checkpoint that is still to be looked at
PATTERN = "[0-9]*.safetensors"  # of the kept ones: their step


def kept(out: Path) -> list[Path]:
    """The checkpoints that were kept on the way of the run in a folder, the oldest first."""
    return sorted((out / FOLDER).glob(PATTERN))


@dataclass
class Keeper:
    """What is kept of a run, apart from its state and its last checkpoint."""

    out: Path  # the run's folder
    every: int  # steps
    last: int | None = None  # how many of the kept checkpoints stay; None: all

    def __post_init__(self) -> None:
        for left in (self.out / FOLDER).glob(".*.tmp"):  # of a process that was killed
            left.unlink(missing_ok=True)

    def keep(self, run: Run) -> Path:
        """Write a checkpoint of how far the run has got, drop those that are too old; its file.

        The header says the minutes that it took. Raises FloatingPointError for a run that diverged.
        """
        check_steps(run)
        check_weights(run)
        path, so_far = self.out / FOLDER / f"{run.step:07d}.safetensors", {"minutes": round(run.seconds / 60, 3)}
        save_checkpoint(path, run.recipe, shipped_weights(run), run.step, so_far)
        if self.last is not None:
            for old in kept(self.out)[: -self.last]:
                old.unlink()
        return path
