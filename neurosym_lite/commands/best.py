"""--keep-best: of the checkpoints kept on the way, the one that a metric likes best."""

import math
from pathlib import Path

import torch

from neurosym_lite.evaluation.evaluate import ONLY_WHEN_NAMED, evaluate
from neurosym_lite.training.checkpoints import load_checkpoint, read_file, read_header, save_checkpoint
from neurosym_lite.training.keeping import BEST, CANDIDATE
from neurosym_lite.training.loop import Run, shipped_weights

IMAGES = 200  # held-out images that a look costs
# how names begin of numbers that say how many, not how well; of errors less is better, of all others more
COUNTS = ("count_mean", "parts")
SMALLER_IS_BETTER = ("mse", "relative_l1", "layers_behind", "layers_ground", "scale")


class Best:
    """The best checkpoint so far, in the run's folder."""

    def __init__(self, out: Path, metric: str, run: Run) -> None:
        """Raises ValueError, before any step is made, for a metric that the recipe's evaluation does not give.

        Also for one that has no better and no worse.
        """
        if metric.startswith(COUNTS):
            raise ValueError(f"--keep-best {metric}: a number of parts is neither better nor worse by being larger")
        self.path, self.metric, self.recipe = out / BEST, metric, run.recipe
        self.sign = -1.0 if metric.startswith(SMALLER_IS_BETTER) else 1.0
        self.value: float | None = None
        if self.path.exists():
            self.value = read_header(self.path, "checkpoint")["metrics"].get(metric)
        if self.value is None:
            first = out / CANDIDATE
            try:
                save_checkpoint(first, run.recipe, shipped_weights(run), run.step, {})
                self.look(first)
            finally:
                first.unlink(missing_ok=True)

    def look(self, checkpoint: Path) -> None:
        """Measure a checkpoint; where it is better than the best, it is the best. Leaves torch's generator alone."""
        model, recipe = load_checkpoint(checkpoint, self.recipe)
        groups = tuple(name for name in self.recipe.metrics if name not in ONLY_WHEN_NAMED)
        with torch.random.fork_rng(devices=[]):
            metrics = evaluate(model, recipe, groups, n=IMAGES)
        if self.metric not in metrics:
            names = ", ".join(name for name in metrics if not name.startswith(COUNTS))
            raise ValueError(f"--keep-best {self.metric}: expected one of {names or 'none, as nothing is measured'}")
        value = metrics[self.metric]
        if self.value is None or self.sign * value > self.sign * self.value or math.isnan(self.value):
            self.value = value
            tensors, header = read_file(checkpoint, "checkpoint")
            save_checkpoint(self.path, self.recipe, tensors, header["step"], metrics)
