"""The judge of scenes: true ones pass, spoilt ones do not, and the arithmetic around it is right."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import Tensor

from neurosym_lite.data.scenes import ABSENT, SceneSource
from neurosym_lite.data.sources import ENVIRONMENT
from neurosym_lite.evaluation.parser import Parsed, Parser, load_parser
from neurosym_lite.evaluation.parser_check import CORRUPTIONS
from neurosym_lite.evaluation.structure import (
    accepts,
    at_parser_size,
    class_entropy,
    evenness,
    handwriting_spread,
    obeys,
    place_spread,
    rogan_gladen,
    structure_metrics,
    wilson,
)
from tests.evaluation.held_out import at, need

T_FLOORS = {
    ("digits", "mnist4"): 0.98,
    ("digits", "mnist10"): 0.97,
    ("mnist", "mnist4"): 0.95,
    ("mnist", "mnist10"): 0.89,
}
F_CEILING = 0.02


def share(images: torch.Tensor, rule: str, handwriting: str = "digits") -> float:
    return float(accepts(images, rule, load_parser(handwriting)).float().mean())


# verdicts


@pytest.mark.parametrize(("handwriting", "rule"), T_FLOORS)
def test_held_out_scenes_are_accepted(handwriting: str, rule: str) -> None:
    scenes = SceneSource(rule, need(handwriting), "test").batch(250, at(1))
    accepted = share(scenes.images, rule, handwriting)
    assert accepted > T_FLOORS[handwriting, rule]


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("rule", ["mnist4", "mnist10"])
def test_spoilt_scenes_are_refused(rule: str, name: str) -> None:
    generator, source = at(2), SceneSource(rule, "digits", "test")
    spoilt = CORRUPTIONS[name](source.describe(100, generator), 64, generator)
    assert share(source.draw(spoilt, generator).images, rule) <= F_CEILING


def test_the_other_rule_is_refused() -> None:
    four = SceneSource("mnist4", "digits", "test").batch(60, at(3)).images
    ten = SceneSource("mnist10", "digits", "test").batch(60, at(3)).images
    assert share(four, "mnist10") == share(ten, "mnist4") == share(torch.zeros_like(four), "mnist4-10") == 0
    assert share(torch.cat([four, ten]), "mnist4-10") > 0.97


def test_float_images_get_the_verdicts_of_bytes() -> None:
    images = SceneSource("mnist4", "digits", "test").batch(50, at(4)).images
    parser = load_parser("digits")
    assert torch.equal(accepts(images, "mnist4", parser), accepts(images / 255, "mnist4", parser))


def test_a_scene_of_128_pixels_gets_the_verdict_of_its_small_twin() -> None:
    source, generator = SceneSource("mnist4", "digits", "test", 128), at(5)
    scenes = source.batch(100, generator)
    assert at_parser_size(scenes.images).shape == (100, 1, 64, 64)
    assert share(scenes.images, "mnist4") > 0.97
    even = source.describe(100, generator)
    even = even._replace(corners=even.corners // 2 * 2)
    large = source.draw(even, at(6)).images
    small = SceneSource("mnist4", "digits", "test", 64).draw(even._replace(corners=even.corners // 2), at(6)).images
    parser = load_parser("digits")
    same = accepts(large, "mnist4", parser) == accepts(small, "mnist4", parser)
    assert same.float().mean() >= 0.98


def test_floats_that_count_to_255_are_refused() -> None:
    """Read as they are, not one true scene would pass."""
    with pytest.raises(ValueError, match=r"scenes as bright as 255: expected uint8, or floats in \[0, 1\]"):
        at_parser_size(torch.full((1, 1, 64, 64), 255.0))
    assert at_parser_size(torch.full((1, 1, 64, 64), 2.0)).max() == 2, "two glimpses over each other"


def test_sizes_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ValueError, match=r"32 x 32 pixels: expected 64 x 64"):
        at_parser_size(torch.zeros(1, 1, 32, 32))
    with pytest.raises(ValueError, match="unknown scene rule 'mnist5'"):
        accepts(torch.zeros(1, 1, 64, 64), "mnist5", load_parser("digits"))


def test_calibration_on_the_authors_own_samples() -> None:
    """The people of table 1 accepted 246 of these 250."""
    path = Path(os.environ.get(ENVIRONMENT, "")) / "gnm_published_mnist4.npz"
    if not path.is_file():
        pytest.skip(f"{ENVIRONMENT} has no {path.name}")
    images = torch.from_numpy(np.load(path)["images"])[:, None]
    parser = load_parser("mnist")
    accepted = int(accepts(images, "mnist4", parser).sum())
    assert 240 <= accepted <= 250
    mirrored = accepts(images.flip(3), "mnist4", parser)  # the classes run the other way round
    assert mirrored.float().mean() <= 0.01


# arithmetic


@pytest.mark.parametrize(("successes", "n"), [(0, 50), (1, 10), (206, 250), (246, 250), (1000, 1000)])
def test_wilson_against_scipy(successes: int, n: int) -> None:
    theirs = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_wilson_of_known_values() -> None:
    assert wilson(206, 250) == pytest.approx((0.772, 0.866), abs=1e-3)
    assert wilson(0, 10).low == 0 and wilson(10, 10).high == 1
    for wrong in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="expected 0 <= successes <= n"):
            wilson(*wrong)


def test_rogan_gladen() -> None:
    assert rogan_gladen(0.45, 0.9, 0.0) == pytest.approx(0.5)
    assert rogan_gladen(0.5 * 0.9 + 0.5 * 0.1, 0.9, 0.1) == pytest.approx(0.5)
    assert rogan_gladen(0.95, 0.9, 0.0) == 1 and rogan_gladen(0.01, 0.9, 0.05) == 0
    with pytest.raises(ValueError, match="not above the false-accept rate"):
        rogan_gladen(0.5, 0.1, 0.1)


# what goes with the rate


def parsed_of(labels: list[list[int]], centres: list | None = None) -> Parsed:
    names = torch.tensor(labels)
    places = torch.zeros(*names.shape, 2) if centres is None else torch.tensor(centres)
    return Parsed(names, places, (names != ABSENT).float())


def test_place_spread_of_slots_and_of_even_places() -> None:
    slots = parsed_of([[1, 2]] * 50, [[[8.0, 8.0], [40.0, 24.0]]] * 50)
    assert place_spread(slots) == 0
    anywhere = 64 * torch.rand(4000, 4, 2, generator=at(8))
    assert place_spread(Parsed(torch.zeros(4000, 4).long(), anywhere, torch.ones(4000, 4))) == pytest.approx(
        16 / math.sqrt(12), rel=0.02
    )
    assert place_spread(parsed_of([[ABSENT]])) == 0


def test_class_entropy_is_one_when_even_and_zero_when_always_the_same() -> None:
    rows = [[c + 2, c, ABSENT, c + 3, c + 1] for c in range(7)]
    assert class_entropy(torch.tensor(rows)) == pytest.approx(1)
    assert class_entropy(torch.tensor([rows[3]] * 5)) == 0
    assert class_entropy(torch.tensor([rows[0], rows[4]])) == pytest.approx(math.log(2) / math.log(7))
    assert class_entropy(torch.zeros(0, 5).long()) == 0


def test_evenness() -> None:
    assert evenness(torch.arange(8), 8) == pytest.approx(1)
    assert evenness(torch.zeros(5, dtype=torch.long), 8) == evenness(torch.zeros(0, dtype=torch.long), 8) == 0


def test_handwriting_spread_by_hand() -> None:
    """Two sevens: one black, one half grey; a pixel's deviation is 0.5 / sqrt 2. A lone class does not count."""
    images = torch.zeros(3, 1, 64, 64)
    images[1, 0, 25:35, 15:25] = 0.5
    images[2] = 1
    parsed = parsed_of([[7, ABSENT], [7, ABSENT], [3, ABSENT]], [[[20.2, 29.8], [0.0, 0.0]]] * 3)
    assert handwriting_spread(images, parsed, torch.tensor([True] * 3)) == pytest.approx(0.5 / math.sqrt(2))
    assert handwriting_spread(images, parsed, torch.tensor([True, False, True])) == 0


def test_metrics_of_real_scenes() -> None:
    source = SceneSource("mnist4", "digits", "test")
    samples, reconstructions = (source.batch(120, at(seed)).images for seed in (10, 11))
    m = structure_metrics(samples, reconstructions, "mnist4", load_parser("digits"))
    assert m["structure_accuracy"] > 0.9 and m["structure_low"] < m["structure_accuracy"] <= m["structure_high"]
    assert m["structure_corrected"] == min(1, m["structure_accuracy"] / m["structure_true_accept"])
    assert m["structure_confidence"] > 0.95 and 0.1 < m["structure_spread"] < 0.3
    assert 3 < m["structure_places"] < 4.7 and m["structure_classes"] > 0.95
    same = structure_metrics(samples[:1].expand(30, -1, -1, -1), reconstructions, "mnist4", load_parser("digits"))
    assert same["structure_places"] < 0.01 and same["structure_spread"] < 0.01 and same["structure_classes"] == 0


def test_metrics_of_nothing_are_numbers() -> None:
    black = torch.zeros(5, 1, 64, 64)
    m = structure_metrics(black, black, "mnist10", load_parser("digits"))
    assert "structure_classes" not in m and all(math.isfinite(value) for value in m.values())
    assert m["structure_accuracy"] == m["structure_corrected"] == m["structure_confidence"] == 0
    with pytest.raises(ValueError, match="0 samples"):
        structure_metrics(black[:0], black, "mnist4", load_parser("digits"))


def four(first: int = 0, off: float = 0.0) -> tuple[Tensor, Tensor]:
    """MNIST-4, places 20 pixels from the middle; the first digit off by so many pixels."""
    places = torch.tensor([[12.0 + off, 12.0], [52.0, 12.0], [52.0, 52.0], [12.0, 52.0]])
    return torch.arange(first, first + 4), places


def parsed(*scenes: tuple[Tensor, Tensor]) -> Parsed:
    labels, places = (torch.stack(c) for c in zip(*scenes, strict=True))
    return Parsed(labels, places, torch.ones(labels.shape))


def test_places_may_be_three_pixels_from_their_mean() -> None:
    # of four offsets one is off by d: it is 3 d / 4 from the mean
    assert obeys(parsed(four(off=3.9), four(off=4.1)), "mnist4").tolist() == [True, False]


def test_a_pixel_of_128_is_the_mean_of_four() -> None:
    image = torch.zeros(1, 1, 128, 128)
    image[..., ::2, ::2] = 1
    assert (at_parser_size(image) == 0.25).all()


class Told(Parser):
    """Reads what it is told, in turn."""

    def __init__(self, *readings: Parsed) -> None:
        super().__init__()
        self.readings = iter(readings)

    def parse(self, images: Tensor) -> Parsed:
        return next(self.readings)


def test_metrics_by_hand() -> None:
    labels = [four(0), four(3), four(6), (torch.tensor([0, 1, 2, 4]), four()[1])]
    samples = parsed(*labels)._replace(confidence=torch.tensor([0.9, 0.9, 0.9, 0.5])[:, None].expand(4, 4))
    again = parsed(four(), four(), four(), four(), labels[3])
    m = structure_metrics(torch.zeros(4, 1, 64, 64), torch.zeros(5, 1, 64, 64), "mnist4", Told(samples, again))
    assert m["structure_accuracy"] == 0.75 and m["structure_true_accept"] == pytest.approx(0.8)
    assert m["structure_corrected"] == pytest.approx(0.75 / 0.8)
    assert m["structure_confidence"] == pytest.approx(0.8)  # of all digits that were read, accepted or not
    assert m["structure_classes"] == pytest.approx(math.log(3) / math.log(7))  # of accepted scenes alone


def test_scenes_of_ten_have_no_first_class() -> None:
    ten = torch.arange(10)[None]
    assert class_entropy(torch.cat([ten, torch.tensor([[3, 4, 5, 6, *[ABSENT] * 6]])])) == 0
