"""The successor's vocabulary is made once, between its two stages, and a run that is gone on with keeps it."""

import pytest
import torch

from neurosym_lite.models.successor import Successor, SuccessorConfig
from neurosym_lite.training import codebooks, loop
from neurosym_lite.training.checkpoints import read_file
from neurosym_lite.training.gnm_recipes import LITE
from neurosym_lite.training.loop import fit, load_state, start
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import constant

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="successor-test",
    about="a small successor on the shipped reader of the embedded digits",
    model=SuccessorConfig(LITE[0].model, kinds=6, styles=5, code=8, width=16, layers=1, heads=2),
    data=SceneData("mnist4", "digits"),
    phases=(
        Phase(2, constant(1e-3), {}, batch=4, train=("encoder", "decoder"), objective="symbol_loss"),
        Phase(3, constant(1e-3), {}, batch=4, train=("prior",), objective="prior_loss", bank=256),
    ),
    start=LITE[0].name,
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Successor]:
    """The models that a vocabulary was made for, in order."""
    models: list[Successor] = []

    def fitted(model: Successor, source, generator) -> None:
        models.append(model)
        codebooks.fit_codebooks(model, source, generator)

    monkeypatch.setattr(codebooks, "CHUNKS", 2)
    monkeypatch.setattr(loop, "fit_codebooks", fitted)
    return models


def test_a_resumed_run_is_a_whole_one_and_makes_no_second_vocabulary(made: list[Successor], tmp_path) -> None:
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    fit(start(RECIPE, 1, CPU), whole, steps=5)
    assert len(made) == 1
    for steps in range(1, 6):
        fit(load_state(RECIPE, 1, CPU, parts) if parts.exists() else start(RECIPE, 1, CPU), parts, steps=steps)
    assert len(made) == 2
    ours, theirs = read_file(parts, "state")[0], read_file(whole, "state")[0]
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    kinds = next(tensor for name, tensor in ours.items() if name.endswith("kinds"))
    assert kinds.std(0).mean() > 0.1


def test_the_reader_stays_as_it_was_shipped(made: list[Successor], tmp_path) -> None:
    run = start(RECIPE, 1, CPU)
    before = {name: tensor.clone() for name, tensor in run.model.symbols.state_dict().items()}
    fit(run, tmp_path / "state.safetensors", steps=5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.model.symbols.state_dict().items())


def test_a_style_is_a_look_that_was_seen() -> None:
    noise = 0.1 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    looks = noise + torch.tensor([[0.0, 0, 0], [9, 0, 0], [0, 9, 0]]).repeat(20, 1)
    styles = codebooks.exemplars(looks, 3)
    seen = (styles[:, None] == looks).all(2)
    assert seen.any(1).all()
    middles = codebooks.centres(looks, 3)
    assert not (middles[:, None] == looks).all(2).any()
    best = torch.cdist(middles, looks).amin(1)
    assert torch.allclose((styles - middles).norm(dim=1), best, atol=1e-3)
