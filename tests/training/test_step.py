"""A step is the same work whatever the data say, and asks nothing of the host: so a GPU can record it once."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from neurosym_lite.data.scenes import RULES, _first_apart
from neurosym_lite.training.bank import flattened
from neurosym_lite.training.loop import draw, fit, schedule_weights, start, train_step
from neurosym_lite.training.recipe import DrawingData, Phase, Recipe, SceneData, rescaled
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.run import make_optimiser
from neurosym_lite.training.step import WARM_STEPS, Feed, Objective, Step, make_step
from tests.training.conftest import small_recipe

CPU, META = torch.device("cpu"), torch.device("meta")

# Operations that read a tensor's values on the host, copy from the host, or have results whose shape depends on values.
HOST = {
    "aten._local_scalar_dense.default", "aten.is_nonzero.default", "aten.equal.default", "aten.lift_fresh.default",
    "aten.nonzero.default", "aten.masked_select.default", "aten._unique2.default", "aten.unique_dim.default",
    "aten.bincount.default", "aten.repeat_interleave.Tensor", "aten.tensor_split.tensor_indices_or_sections",
}  # fmt: skip


class Watch(TorchDispatchMode):
    """Writes down each operation with the shapes that go in."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[tuple[int, ...], ...]]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        leaves = torch.utils._pytree.tree_leaves((args, kwargs or {}))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        self.seen.append((str(func), tuple(tuple(tensor.shape) for tensor in tensors)))
        if str(func).startswith("aten.index.") or str(func).startswith("aten.index_put"):
            assert not any(tensor.dtype in (torch.bool, torch.uint8) for tensor in tensors[1:]), "indexed by a mask"
        return func(*args, **(kwargs or {}))


def phases() -> dict[str, tuple[Recipe, Phase]]:
    """One phase of each kind: a model's configuration and what it minimises."""
    kinds = {}
    for recipe in RECIPES.values():
        for phase in recipe.phases:
            kinds.setdefault((recipe.model, phase.objective, phase.train), (recipe, phase))
    return {f"{recipe.name}-{phase.objective}": (recipe, phase) for recipe, phase in kinds.values()}


PHASES = phases()
BATCH = 2


def feed(recipe: Recipe, phase: Phase, model: torch.nn.Module, ink: float) -> Feed:
    """Two images of noise with that much ink in them (or the symbols that the model sees there), weights by ink."""
    size = recipe.data.size
    channels = getattr(recipe.model, "channels", 1)
    images = (torch.rand(BATCH, channels, size, size) * 255 * ink).to(torch.uint8)
    weights = torch.full((len(model.Weights._fields),), 0.3 + 0.5 * ink)
    if phase.objective != "prior_loss":
        return Feed((images,), weights)
    with torch.no_grad():
        return Feed(tuple(flattened(model.infer(images.float() / 255, mode=True))), weights)


@pytest.mark.parametrize("name", PHASES)
def test_a_step_is_the_same_operations_whatever_the_data(name: str) -> None:
    recipe, phase = PHASES[name]
    model = recipe.build()
    step = Step(model, make_optimiser(model, phase, CPU), phase, Objective(model, phase.objective))
    step(feed(recipe, phase, model, 0.5))  # the optimiser's memory is made in the first step
    logs = []
    for ink in (0.0, 1.0):
        fed = feed(recipe, phase, model, ink)
        with Watch() as watch:
            step(fed)
        logs.append(watch.seen)
    assert len(logs[0]) > 100 and logs[0] == logs[1]
    assert {operation for operation, _ in logs[0]} & HOST == set()
    unused = {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert unused <= {"baseline"}, "NVIL's, which the other ways to learn the stop leave alone"


STREAMS = [
    *map(SceneData, RULES), SceneData("mnist4", backdrop="shaded"), SceneData("mnist10", scenes=10),
    DrawingData(), DrawingData(moved=0.5),
]  # fmt: skip


@pytest.mark.parametrize("data", STREAMS, ids=str)
def test_a_batch_is_drawn_without_the_host(data: SceneData | DrawingData, monkeypatch) -> None:
    """A GPU that is asked between two replays stands still meanwhile."""
    monkeypatch.setattr("neurosym_lite.data.scenes._places_apart", _first_apart)  # as on a GPU
    source, generator = data.source("train"), torch.Generator().manual_seed(0)
    with Watch() as watch:
        source.batch(BATCH, generator)
    assert watch.seen and {operation for operation, _ in watch.seen} & HOST == set()


@pytest.mark.parametrize("name", PHASES)
def test_loss_and_gradient_stay_on_their_device(name: str) -> None:
    """The meta device has shapes and no values: reading one, or mixing in a tensor of the CPU, raises."""
    recipe, phase = PHASES[name]
    model = recipe.build()
    fed = feed(recipe, phase, model, 0.5)
    model = model.to(META)
    objective = Objective(model, phase.objective)
    total, terms = objective(tuple(tensor.to(META) for tensor in fed.batch), fed.weights.to(META))
    total.backward()
    assert total.device == terms.device == META


def test_the_watch_sees_what_a_graph_could_not_record() -> None:
    """The test above would notice: a value read, a constant made, a branch."""
    with Watch() as watch:
        x = torch.rand(3)
        x.sum().item(), torch.tensor([1.0]), x.nonzero()
    assert {operation for operation, _ in watch.seen} >= {
        "aten._local_scalar_dense.default", "aten.lift_fresh.default", "aten.nonzero.default"
    }  # fmt: skip
    with Watch(), pytest.raises(AssertionError, match="indexed by a mask"):
        x[x > 2]


def test_the_outputs_are_the_losses_terms_and_the_gradients_norm() -> None:
    recipe = small_recipe()
    phase, run = recipe.phases[0], start(recipe, 0, CPU)
    fed = Feed(draw(run, recipe.data.source("train"), phase), schedule_weights(run, phase, 0))
    reference = copy.deepcopy(run.model)
    torch.manual_seed(3)
    loss = reference.loss(fed.batch[0].float() / 255, reference.Weights(*fed.weights))
    loss.total.mean().backward()
    norm = torch.stack([p.grad.norm() for p in reference.parameters()]).norm()
    torch.manual_seed(3)
    outputs = make_step(run.model, run.optimiser, phase, "eager", CPU, run.ranks)(fed)
    expected = [*(term.mean() for term in loss), norm]
    torch.testing.assert_close(outputs, torch.stack(expected).detach())


COMPILED = """
import torch
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.step import Objective
for name in ("vae-digits1-lite", "gnm-gaussian-digits4-lite", "dood-digits-lite", "air-mnist-lite"):
    recipe = RECIPES[name]
    model = recipe.build()
    images = torch.randint(0, 255, (2, 1, recipe.data.size, recipe.data.size), dtype=torch.uint8)
    objective = Objective(model, "loss")
    traced = torch.compile(objective, fullgraph=True, backend="eager")
    results = []
    for form in (objective, traced):
        torch.manual_seed(0)
        results.append(form((images,), torch.full((len(model.Weights._fields),), 0.5))[0])
    torch.testing.assert_close(*results)
"""


IN_PHASES = """
from dataclasses import replace
from functools import partial
import sys
import torch
from neurosym_lite.training.loop import fit, start
from neurosym_lite.training.recipes import RECIPES
torch.compile = partial(torch.compile, backend="eager")
recipe = RECIPES["gnm-digits4-lite"]
phases = tuple(replace(phase, steps=1, batch=2, bank=phase.bank and 64) for phase in recipe.phases)
assert len({phase.objective for phase in phases}) == 3
run = start(replace(recipe, phases=phases), 0, "cpu", engine="compile")
fit(run, sys.argv[1], steps=3)
"""


@pytest.mark.parametrize("script", [COMPILED, IN_PHASES], ids=["alone", "one phase after another"])
def test_a_loss_is_traced_whole_by_the_compiler(script: str, tmp_path) -> None:
    """In a process of its own, where no annotations are checked: the compiler does not follow the checks."""
    process = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "state")], capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]


def test_another_batch_and_rate_are_another_recipe(tmp_path) -> None:
    recipe = small_recipe()
    other = rescaled(recipe, batch=8, rate=2.0)
    assert [phase.batch for phase in other.phases] == [8, 8] and rescaled(recipe) == recipe
    assert other.phases[0].learning_rate(3) == 2 * recipe.phases[0].learning_rate(3)
    run = start(other, 0, CPU)
    train_step(run, recipe.data.source("train"))
    assert run.optimiser.param_groups[0]["lr"] == other.phases[0].learning_rate(0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["gnm", "dood-digits-lite", "vae-digits1-lite"])
def test_a_recorded_step_gives_the_losses_of_a_plain_one(name: str, tmp_path, monkeypatch) -> None:
    recipe = small_recipe() if name == "gnm" else RECIPES[name]
    device, curves, noise = torch.device("cuda", 0), [], []
    for engine in ("eager", "graph"):
        run = start(recipe, 0, device, engine=engine)
        seen: list[Tensor] = []
        steps = WARM_STEPS + 5  # rounding grows with every step
        fit(run, tmp_path / engine, steps=steps, on_step=lambda run, seen=seen: seen.append(run.unchecked[-1].outputs))
        curves.append(torch.stack(seen))
        noise.append(torch.cuda.get_rng_state(device))
    torch.testing.assert_close(curves[0], curves[1], rtol=1e-3, atol=1e-3)
    assert torch.equal(noise[0], noise[1])
