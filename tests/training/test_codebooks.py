"""The successor's vocabulary is made once, between its two stages, and a run that is gone on with keeps it."""

from types import SimpleNamespace

import pytest
import torch

from neurosym_lite.data.scenes import SceneSource
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


class FewKinds(Successor):
    """A reader of a hundred objects of one kind, thirty and five of others, whose looks are numbers of their own."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        answers = torch.cat([torch.zeros(100), torch.ones(30), torch.full((5,), 3.0), torch.full((6,), 9.0)])
        self.codes = torch.cat(
            [torch.linspace(0, 1, 100), torch.linspace(5, 6, 30), torch.full((5,), 8.0), torch.full((6,), 50.0)]
        )
        self.seen = SimpleNamespace(
            present=torch.arange(141)[None] < 135, expected=answers[None, :, None], crops=self.codes[None, :, None]
        )
        self.kinds, self.styles = torch.zeros(4, 1), torch.full((4, 4, 1), -1.0)  # the last six cells are empty

    def look(self, images):
        return self.seen

    def encode(self, crops):
        return crops


def test_kinds_are_centres_and_styles_are_looks_that_were_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A style takes twenty members: of thirty, or five, there is one, four times over; of none there is a blank."""
    known, found = torch.tensor([[0.0], [1.0], [3.0], [7.0]]), codebooks.centres
    monkeypatch.setattr(codebooks, "CHUNKS", 1)
    monkeypatch.setattr(codebooks, "centres", lambda points, n: known if len(points) == 135 else found(points, n))
    model = FewKinds()
    codebooks.fit_codebooks(model, SceneSource("mnist4"), torch.Generator().manual_seed(0))
    assert torch.equal(model.kinds, known)
    many, few, fewer, none = model.styles[..., 0]
    assert len(many.unique()) == 4 and all(style in model.codes[:100] for style in many)
    assert (few == few[0]).all() and few[0] in model.codes[100:130]
    assert (fewer == 8).all() and (none == 0).all()


def test_a_centre_is_the_mean_of_its_members() -> None:
    points = torch.cat([torch.linspace(0, 1, 101), torch.linspace(5, 6, 101)])[:, None]
    assert codebooks.centres(points, 2).flatten().sort().values.tolist() == pytest.approx([0.5, 5.5], abs=0.05)
    assert codebooks.exemplars(points, 2).flatten().sort().values.tolist() == pytest.approx([0.5, 5.5], abs=0.05)
