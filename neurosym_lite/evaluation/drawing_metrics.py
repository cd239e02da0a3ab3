"""What is asked of models of drawings: each metric a function of a task."""

import torch
from torch import Generator

from neurosym_lite.data.drawings import Drawings
from neurosym_lite.data.one_shot import official_episodes
from neurosym_lite.evaluation.drawing_samples import sample_distances
from neurosym_lite.evaluation.one_shot import one_shot_metrics
from neurosym_lite.evaluation.registration import one_shot_redrawn
from neurosym_lite.evaluation.stop_noise import stop_noise
from neurosym_lite.evaluation.task import Task, held_out
from neurosym_lite.models.dood import DooD
from neurosym_lite.training.transfer_recipes import SETS

SAMPLES = 2000  # drawings from the prior, and as many real ones
NOISE_BATCH = 64  # images that the noise of the stop's gradient is measured on


def on_all_sets(task: Task) -> dict[str, Drawings]:
    """Test characters of every set that a model of drawings is tried on, as many of each as there are held-out ones."""
    return {name: held_out(task.recipe, len(task.scenes.images), task.seed, name) for name in SETS}


def stop_gradient(task: Task) -> dict[str, float]:
    """Standard deviation of the gradient of q_on, nats, by the exact sum over the stop and by NVIL."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        noise = stop_noise(task.model, task.scenes.images[:NOISE_BATCH].float() / 255)
    return {"stop_noise_exact": noise.exact.std, "stop_noise_nvil": noise.nvil.std}


def prior_samples(task: Task) -> dict[str, float]:
    """Fréchet distance of samples to training characters, and of other training characters, as many of each."""
    source = task.recipe.data.source("train")
    order = torch.randperm(len(source.images), generator=Generator().manual_seed(task.seed))
    halves = order[: 2 * SAMPLES].chunk(2)  # no character is in both
    real, others = (Drawings(source.images[rows], source.labels[rows]) for rows in halves)
    return sample_distances(task.model, real, others, task.seed)


def one_shot(task: Task) -> dict[str, float]:
    """The official episodes, by DooD's strokes or by AIR's redrawings."""
    measure = one_shot_metrics if isinstance(task.model, DooD) else one_shot_redrawn
    return measure(task.model, official_episodes())
