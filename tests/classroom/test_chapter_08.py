"""Chapter 8's exercises: their solutions agree with the package."""

import pytest
import torch
from torch import Generator

from neurosym_lite.classroom import judge
from neurosym_lite.classroom.chapter_08 import COINS, ENOUGH, FAR_WORTHS, GO_ON, HOW_MANY, LOST, TAKEN_BACK, WHAT_PAYS
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.strokes import read, relative_l1
from neurosym_lite.models.stop import Prefixes, bound, continuation, exact, log_stop
from neurosym_lite.render.ink_compose import OPACITY, lay_over
from neurosym_lite.training.checkpoints import load_checkpoint

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "8.1": 5.0,
    "8.2": lambda worth, price: torch.zeros(len(worth) - 1),
    "8.3": lambda worth, log_p, log_q: torch.tensor(7.0),
    "8.4": 7.0,
    "8.5": lambda canvas, stroke, opacity: canvas,
    "8.6": lambda images, canvases, error: torch.tensor([7, 7, 7]),
}
UNUSABLE = {
    "8.1": "about two",
    "8.2": lambda worth, price: worth.no_such_method(),
    "8.3": lambda worth, log_p: worth @ log_p,
    "8.4": None.__class__,
    "8.5": 0.5,
    "8.6": lambda images, canvases, error: images.no_such_method(),
}


def test_the_mean_number_of_strokes_is_the_packages() -> None:
    stops = log_stop(GO_ON.logit()[None]).exp()[0]
    assert float(stops @ torch.arange(4.0, dtype=torch.float64)) == pytest.approx(HOW_MANY.solution)


def test_coins_are_the_packages_hazards() -> None:
    worth = torch.tensor([-8.0, -3.0, 0.0, 0.5])
    torch.testing.assert_close(COINS.solution(worth, 1.0), continuation((worth - torch.arange(4))[None])[0])


@pytest.mark.parametrize(("worth", "price"), FAR_WORTHS)
def test_coins_of_far_worths_are_the_packages_hazards(worth: torch.Tensor, price: float) -> None:
    coins = COINS.solution(worth, price)
    priced = worth.double() - price * torch.arange(len(worth))
    assert coins.isfinite().all()
    torch.testing.assert_close(coins.double(), continuation(priced[None])[0], rtol=0, atol=2e-4)


def test_coins_that_leave_the_logarithms_are_still_told_their_other_mistake() -> None:
    def without_price(worth: torch.Tensor, price: float) -> torch.Tensor:
        rest = worth.softmax(0).flip(0).cumsum(0).flip(0)
        return rest[1:] / rest[:-1]

    assert without_price(*FAR_WORTHS[0]).isnan().any()
    assert "the price is not in it" in judge("8.2", without_price).says


def test_what_is_lost_lies_between_the_packages_bounds() -> None:
    prefixes = Prefixes(*torch.randn(1, 13, generator=torch.Generator().manual_seed(0)).split((4, 3, 3, 3), dim=1))
    worth = prefixes.log_likelihood - torch.nn.functional.pad(prefixes.kl.cumsum(1), (1, 0))
    log_p, log_q = log_stop(prefixes.p_on), log_stop(prefixes.q_on)
    elbo = exact(prefixes, torch.tensor(0.0)).stop
    torch.testing.assert_close(LOST.solution(worth[0], log_p[0], log_q[0]), (bound(prefixes) - elbo)[0])


def test_a_stroke_pays_when_it_removes_two_pixels_of_error() -> None:
    gain = torch.distributions.Laplace(0.0, 0.1)
    error = torch.tensor(WHAT_PAYS.solution)
    assert float(gain.log_prob(torch.tensor(0.0)) - gain.log_prob(error)) == pytest.approx(21.0, rel=1e-5)


def test_a_stroke_taken_back_leaves_the_canvas_before_it() -> None:
    before, stroke = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(TAKEN_BACK.solution(lay_over(before, stroke), stroke, OPACITY), before)


def test_what_is_enough_is_the_first_page_good_enough_by_the_packages_error() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    images = DrawingSource("digits", "test").batch(20, Generator().manual_seed(0)).images / 255
    canvases = read(model, images).canvases
    for i, strokes in enumerate(ENOUGH.solution(images, canvases, 0.25).tolist()):
        errors = [relative_l1(page[None], images[i : i + 1]) for page in canvases[i]]
        good = [t for t, error in enumerate(errors) if error <= 0.25]
        assert strokes == (good[0] if good else 6)
