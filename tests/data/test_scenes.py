"""Scenes obey their rules, their ground truth is true, and the same generator gives the same pixels."""

import pytest
import torch
from torch import Generator

from neurosym_lite.data import Glyphs, glyphs
from neurosym_lite.data.glyphs import core
from neurosym_lite.data.rules import validate
from neurosym_lite.data.scenes import (
    ABSENT,
    RULES,
    SceneSource,
    _first_apart,
    _places_apart,
    core_size,
    describe_mnist10,
    free_range,
)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def centres(corners: torch.Tensor, size: int) -> torch.Tensor:
    return corners + core_size(size) / 2


@pytest.mark.parametrize("size", [64, 96, 128])
@pytest.mark.parametrize("rule", RULES)
def test_every_scene_obeys_its_rule(rule: str, size: int) -> None:
    layout = SceneSource(rule, size=size).describe(500, generator())
    assert validate(rule, layout.labels, centres(layout.corners, size), size, tolerance=1e-3).all()


def test_sizes_are_the_papers_at_128_and_half_at_64() -> None:
    assert (core_size(128), free_range(128)) == (20, 45)
    assert (core_size(64), free_range(64)) == (10, 23)


@pytest.mark.parametrize("rule", RULES)
def test_boxes_labels_and_presence_agree_with_the_pixels(rule: str) -> None:
    scenes = SceneSource(rule).batch(50, generator())
    images = scenes.images[:, 0]
    assert images.dtype == torch.uint8 and images.shape == (50, 64, 64)
    outside = images.clone()
    for scene, image in enumerate(outside):
        for x0, y0, x1, y1 in scenes.boxes[scene][scenes.present[scene]].int().tolist():
            assert image[y0:y1, x0:x1].max() > 100 or images[scene, y0:y1, x0:x1].max() > 100
            assert (x1 - x0, y1 - y0) == (10, 10)
            image[y0:y1, x0:x1] = 0
    assert outside.max() == 0, "ink outside every box"
    assert ((scenes.labels == ABSENT) == ~scenes.present).all()
    assert (scenes.boxes[~scenes.present] == 0).all()


def test_a_drawn_digit_is_a_character_of_its_class() -> None:
    source = SceneSource("mnist1")
    scenes = source.batch(20, generator())
    for image, box, label in zip(scenes.images[:, 0], scenes.boxes[:, 0].int(), scenes.labels[:, 0], strict=True):
        x0, y0, x1, y1 = box.tolist()
        members = source.cores[source.index[label, : source.counts[label]]]
        assert (members == image[y0:y1, x0:x1]).all(2).all(1).any()


def test_the_same_generator_state_gives_the_same_scenes_and_another_one_others() -> None:
    source = SceneSource("mnist10")
    first, again, other = (source.batch(8, generator(seed)).images for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_train_and_test_digits_never_mix() -> None:
    train, test = ({image.numpy().tobytes() for image in glyphs("digits", split).images} for split in ("train", "test"))
    assert len(train) > 1400 and len(test) > 350 and not train & test


def test_mnist10_swaps_its_diagonals_independently_and_pairs_0_with_8() -> None:
    layout = describe_mnist10(4000, 64, generator())
    right = layout.corners[..., 0] >= 32
    pairs_swapped, triples_swapped = right[:, 0], ~right[:, 2]
    for first in (False, True):
        for second in (False, True):
            share = ((pairs_swapped == first) & (triples_swapped == second)).float().mean()
            assert abs(share - 0.25) < 0.03
    offset = (layout.corners[:, [8, 9]] - layout.corners[:, [0, 1]]).abs()
    assert (offset == 32).all()


def test_places_are_uniform_over_the_quadrant() -> None:
    corners = SceneSource("mnist4").describe(23 * 400, generator()).corners[:, 0]
    for axis in range(2):
        counts = torch.bincount(corners[:, axis], minlength=23)
        assert len(counts) == 23 and counts.min() > 300 and counts.max() < 500


@pytest.mark.parametrize("draw", [_places_apart, _first_apart])
def test_pairs_that_do_not_overlap_are_all_equally_likely(draw) -> None:
    """As on a CPU, so on a GPU: by counts of the first place, whose chance is its share of all such pairs."""
    side, source = free_range(32), generator()
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    partners = ((places[:, None] - places).abs().amax(-1) >= core_size(32)).sum(1)
    drawn = torch.cat([draw(2000, 2, 32, source) for _ in range(20)])
    assert ((drawn[:, 0] - drawn[:, 1]).abs().amax(-1) >= core_size(32)).all()
    counts = torch.bincount(drawn[:, 0] @ torch.tensor([side, 1]), minlength=side**2)
    expected = partners / partners.sum() * len(drawn)
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_squared - (side**2 - 1)) < 4 * (2 * side**2) ** 0.5


def test_the_union_is_half_and_half() -> None:
    present = SceneSource("mnist4-10").describe(4000, generator()).present.sum(1)
    assert set(present.unique().tolist()) == {4, 10}
    assert abs((present == 4).float().mean() - 0.5) < 0.03


def test_unknown_rules_and_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown scene rule 'mnist5'.*mnist4, mnist10"):
        SceneSource("mnist5")
    for size in (31, 33, 16):
        with pytest.raises(ValueError, match=f"scene size {size}: expected an even number"):
            SceneSource("mnist4", size=size)


def test_characters_that_are_not_digits_are_refused(monkeypatch) -> None:
    animals = Glyphs(torch.zeros(2, 28, 28, dtype=torch.uint8), torch.tensor([0, 1]), ("cat", "dog"))
    monkeypatch.setattr("neurosym_lite.data.scenes.glyphs", lambda name, split: animals)
    with pytest.raises(ValueError, match="scenes need digits: 'quickdraw' has classes cat, dog"):
        SceneSource("mnist4", "quickdraw")


def test_a_set_that_lacks_a_digit_is_refused(monkeypatch) -> None:
    """Its places would else be filled with the first character of the set."""
    labels = torch.tensor([0, 1, 2, 4, 5, 6, 7, 8])
    few = Glyphs(torch.zeros(8, 28, 28, dtype=torch.uint8), labels, tuple("0123456789"))
    monkeypatch.setattr("neurosym_lite.data.scenes.glyphs", lambda name, split: few)
    with pytest.raises(ValueError, match="there is no 3, 9 among these"):
        SceneSource("mnist4", "mnist")


def test_shaded_scenes_have_the_same_digits_on_grey() -> None:
    sources = (SceneSource("mnist4", backdrop=name) for name in ("black", "shaded"))
    plain, shaded = (source.batch(50, Generator().manual_seed(0)) for source in sources)
    assert torch.equal(plain.labels, shaded.labels) and torch.equal(plain.boxes, shaded.boxes)
    ink = plain.images == 255
    assert (shaded.images[ink] == 255).all()
    behind = shaded.images[plain.images == 0].float() / 255
    assert 0.02 < behind.min() and behind.max() < 0.48
    slope = shaded.images.float().amax((1, 2, 3)) - shaded.images.float().amin((1, 2, 3))
    assert (slope > 100).all()
    with pytest.raises(ValueError, match="unknown backdrop 'sky': expected one of black, shaded"):
        SceneSource("mnist4", backdrop="sky")


def test_one_digit_reaches_every_place_and_every_character_is_drawn() -> None:
    source = SceneSource("mnist1")
    layout = source.describe(20000, Generator().manual_seed(0))
    assert layout.corners.min() == 0 and layout.corners.amax((0, 1)).tolist() == [54, 54]
    most = int(source.counts.argmax())
    n = int(source.counts[most])
    layout = layout._replace(labels=torch.full_like(layout.labels, most), corners=torch.zeros_like(layout.corners))
    drawn = source.draw(layout, Generator().manual_seed(1)).images[:, 0, :10, :10].flatten(1)
    bank = source.cores[source.index[most, :n]].flatten(1)
    assert len(drawn.unique(dim=0)) == len(bank.unique(dim=0))


def test_smaller_cores_keep_their_ink() -> None:
    source, bank = SceneSource("mnist1"), glyphs("digits")
    torch.testing.assert_close(
        source.cores.float().mean((1, 2)), core(bank.images).float().mean((1, 2)), atol=0.6, rtol=0
    )
