"""A small GNM learns a small rule in seconds; four ways of breaking it are noticed.

The world: 16 x 16 pixels, a 2 x 2 grid, two bright squares, always in opposite cells. Which of the two diagonals is a
coin's toss, so a scene cannot be imagined cell by cell: someone has to know what the other cells do.
"""

from typing import NamedTuple

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.latents import Boxes
from neurosym_lite.layers import CellConv
from neurosym_lite.models import gnm, objective, structdraw
from neurosym_lite.models.gnm import GNM, Inference
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.objective import GNMWeights
from neurosym_lite.training.bank import flattened, nested

CONFIG = GNMConfig(
    image_size=16, grid=2, filters=(8, 16, 16), strides=(2, 2, 2), heads=(16,), what=2, glimpse_size=6,
    glimpse_encoder=(16,), glimpse_decoder=(16,), scale_mean=-1.0, scale_start=-1.0, prior="struct", latent=2,
    structure=16, hidden=(32,), draw_hidden=(32,), draw_steps=2, out_kernel=1,
)  # fmt: skip
DIAGONALS = torch.tensor([[1, 0, 0, 1], [0, 1, 1, 0]], dtype=torch.bool)
SYMBOL_STEPS, PRIOR_STEPS = 300, 200
SEED = 1  # of the first weights; from others a broken model may be nearer to the bounds than processors round apart


def scenes(n: int, seed: int) -> Tensor:
    """n images of two squares of 4 x 4 pixels on a diagonal, each moved by up to 4 pixels inside its cell."""
    generator = Generator().manual_seed(seed)
    images = torch.zeros(n, 1, 16, 16)
    other = torch.randint(0, 2, (n,), generator=generator)
    moves = torch.randint(0, 5, (n, 2, 2), generator=generator)
    for image, flip, move in zip(images, other.tolist(), moves.tolist(), strict=True):
        for row, (down, right) in enumerate(move):
            y, x = 8 * row + down, 8 * (1 - row if flip else row) + right
            image[0, y : y + 4, x : x + 4] = 0.95
    return images


def weights(**values: float) -> GNMWeights:
    return GNMWeights(**{name: torch.tensor(float(value)) for name, value in values.items()})


def minimise(model: GNM, parts: tuple[str, ...], steps: int, loss) -> None:
    parameters = [p for name, p in model.named_parameters() if name.split(".")[0] in parts]
    optimiser = torch.optim.Adam(parameters, 5e-3, fused=True)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 5e-3 * min(1, (step + 1) / 20) * (1 if step < 0.6 * steps else 0.3)
        optimiser.zero_grad()
        loss(step / steps).total.mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 10.0)
        optimiser.step()


SYMBOL_PARTS = ("encoder", "posterior_heads", "glimpse_encoder", "glimpse_decoder")


def train_symbols(model: GNM, images: Tensor) -> None:
    def symbols(part: float) -> objective.GNMLoss:
        rows = torch.randint(0, len(images), (32,))
        now = weights(temperature=max(0.3, 1 - 2 * part), presence=0.5 if part < 0.3 else 0.05)
        return model.symbol_loss(images[rows], now)

    minimise(model, SYMBOL_PARTS, SYMBOL_STEPS, symbols)


def train_prior(model: GNM, images: Tensor) -> None:
    with torch.no_grad():
        seen = flattened(model.infer(images, mode=True))

    def prior(part: float) -> objective.GNMLoss:
        rows = torch.randint(0, len(images), (64,))
        batch: Inference = nested([tensor[rows] for tensor in seen])
        return model.prior_loss(batch, weights(temperature=0.5, presence=0.05, beta_global=0.05 if part < 0.4 else 1))

    minimise(model, ("globals", "prior_heads"), PRIOR_STEPS, prior)


@pytest.fixture(scope="module")
def symbols_learned() -> dict[str, Tensor]:
    """Weights of the symbols' part, learned once."""
    torch.manual_seed(SEED)
    model = GNM(CONFIG)
    train_symbols(model, scenes(2000, seed=1))
    return {name: value for name, value in model.state_dict().items() if name.split(".")[0] in SYMBOL_PARTS}


def trained(symbols: dict[str, Tensor]) -> GNM:
    """A model with the symbols given, and a prior learned on them."""
    torch.manual_seed(SEED)
    model = GNM(CONFIG)
    model.load_state_dict(symbols, strict=False)
    train_prior(model, scenes(2000, seed=1))
    return model.eval()


class Report(NamedTuple):
    error: float  # squared error of reconstructions, as a share of the images' own
    found: float  # share of held-out scenes in which just the two cells of the diagonal are present
    obeyed: float  # share of imagined scenes with two objects on a diagonal
    rarer: float  # share of the rarer diagonal among them
    code: float  # nats that z_g takes for a held-out scene


def found(boxes: Boxes) -> float:
    """Share of the scenes in which just the two cells of a diagonal are present."""
    return float((boxes.present[:, None] == DIAGONALS).all(2).any(1).float().mean())


def report(model: GNM) -> Report:
    images = scenes(200, seed=9)
    boxes, _, drawn = model.detect(images)
    imagined = model.sample(400, Generator().manual_seed(0)).latents.objects.pres.bool()
    obeyed = (imagined[:, None] == DIAGONALS).all(2).float().mean(0)
    error = (drawn - images).square().mean() / images.square().mean()
    with torch.no_grad():
        code = model.loss(images, weights(temperature=0.5, presence=0.05)).kl_global.mean()
    return Report(float(error), found(boxes), float(obeyed.sum()), float(obeyed.min()), float(code))


def holds(got: Report) -> bool:
    """The floors; which diagonal, and where in their cells the squares are, takes a few nats."""
    return got.error < 0.1 and got.found > 0.95 and got.obeyed > 0.9 and got.rarer > 0.25 and got.code < 12


def test_it_finds_the_squares_and_imagines_scenes_that_obey(symbols_learned) -> None:
    got = report(trained(symbols_learned))
    print(got)
    assert holds(got), got


def drop_global_kl(monkeypatch) -> None:
    """KL(q(z_g | x) || p(z_g)) is not paid."""
    original = gnm.elbo_terms
    monkeypatch.setattr(gnm, "elbo_terms", lambda ll, aux, given, kl, w: original(ll, aux, given, 0 * kl, w))


def drop_presence_kl(monkeypatch) -> None:
    """KL of z_pres given z_g is not paid."""
    original = gnm.GNM._conditional_kls

    def without(*given):
        kls = original(*given)
        return kls._replace(symbols=kls.symbols._replace(pres=0 * kls.symbols.pres))

    monkeypatch.setattr(gnm.GNM, "_conditional_kls", without)


def flip_presence_mask(monkeypatch) -> None:
    """Absent objects are drawn and present ones are not."""
    original = gnm.compose_sum
    monkeypatch.setattr(gnm, "compose_sum", lambda glimpses, pres, *rest: original(glimpses, 1 - pres, *rest))


def remove_interaction(monkeypatch) -> None:
    """Every cell has a latent of its own and no cell hears another."""
    original = structdraw.interaction_layer

    def alone(kind, cells, width, hidden, outputs):
        layers = original("none", cells, width, hidden, outputs)
        layers[0], layers[3] = CellConv(width, hidden[0], 1), CellConv(hidden[0], outputs, 1)
        return layers

    monkeypatch.setattr(structdraw, "interaction_layer", alone)
    init = structdraw.StructDraw.__init__
    monkeypatch.setattr(
        structdraw.StructDraw, "__init__", lambda self, **sizes: init(self, **(sizes | {"interaction": "none"}))
    )


def detach_structure(monkeypatch) -> None:
    """What the symbols' prior wants to know never reaches z_g."""
    original = GNM.prior_symbols
    monkeypatch.setattr(GNM, "prior_symbols", lambda self, features: original(self, features.detach()))


@pytest.mark.parametrize("mutate", [drop_global_kl, drop_presence_kl, remove_interaction, detach_structure])
def test_a_broken_prior_is_noticed(mutate, symbols_learned, monkeypatch) -> None:
    mutate(monkeypatch)
    model = trained(symbols_learned)
    monkeypatch.undo()
    got = report(model)
    assert got.found > 0.95, got  # the symbols are as good as before
    assert got.obeyed < 0.8 or got.code > 30, got  # what it imagines is not, or its price is out of hand


def test_a_broken_renderer_is_noticed(monkeypatch) -> None:
    flip_presence_mask(monkeypatch)
    model = GNM(CONFIG)
    train_symbols(model, scenes(2000, seed=1))
    boxes, _, _ = model.eval().detect(scenes(200, seed=9))
    assert found(boxes) < 0.5
