"""The stream of single characters: of its split, of its size, of its generator."""

import pytest
import torch
from torch import Generator

from neurosym_lite.data import glyphs
from neurosym_lite.data.drawings import DrawingSource


def test_drawings_are_the_sets_characters() -> None:
    bank = glyphs("digits", "test")
    drawings = DrawingSource("digits", "test").batch(50, Generator().manual_seed(0))
    assert drawings.images.shape == (50, 1, 28, 28) and drawings.images.dtype == torch.uint8
    for image, label in zip(drawings.images[:5, 0], drawings.labels[:5], strict=True):
        (rows,) = (bank.images == image).flatten(1).all(1).nonzero(as_tuple=True)
        assert len(rows) and (bank.labels[rows] == label).all()


def test_the_generator_decides() -> None:
    source = DrawingSource("digits")
    first, again, other = (source.batch(20, Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images) and not torch.equal(first.images, other.images)


def test_other_sizes_keep_the_share_of_ink() -> None:
    small, large = (DrawingSource("digits", "train", size) for size in (28, 50))
    assert large.images.shape[1:] == (1, 50, 50)
    share = [source.images[:300].float().mean() for source in (small, large)]
    assert abs(share[0] - share[1]) < 0.02 * share[0]


@pytest.mark.parametrize("given", [{"size": 0}, {"moved": -0.1}, {"moved": 1.5}, {"moved": float("nan")}])
def test_sizes_and_shares_that_cannot_be_are_refused(given: dict) -> None:
    with pytest.raises(ValueError, match=r"drawings of \d+ pixels, a share of .* moved: expected 1 or more, 0 to 1"):
        DrawingSource("digits", **given)


def test_every_drawing_is_drawn() -> None:
    source = DrawingSource("digits", "test")
    assert len(source.batch(20000, Generator().manual_seed(0)).images.unique(dim=0)) == len(source.images.unique(dim=0))
