"""Random affine maps: in their ranges, of the share that was asked for, the same for the same seed."""

import math

import torch
from torch import Generator, Tensor

from neurosym_lite.data.affine import DEFAULT, Ranges, moved, random_maps
from neurosym_lite.data.drawings import DrawingSource

STILL = Ranges(size=(1.0, 1.0), turn=0.0, stretch=0.0, shear=0.0, shift=0.0)


def at(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def characters(n: int = 200) -> Tensor:
    return DrawingSource("digits").batch(n, at(0)).images


def test_without_ranges_a_map_is_the_identity_or_a_mirror() -> None:
    maps = random_maps(50, at(0), STILL)
    mirror = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])
    same = [(maps[:, :, :2] - which).abs().amax((1, 2)) < 1e-6 for which in (torch.eye(2), mirror)]
    assert (same[0] | same[1]).all() and 10 < int(same[0].sum()) < 40 and (maps[..., 2] == 0).all()


def test_sizes_and_shifts_stay_in_their_ranges() -> None:
    maps = random_maps(2000, at(1))
    area = torch.linalg.det(maps[:, :, :2]).abs().sqrt()  # of the old canvas, that a length of the new one covers
    low, high = DEFAULT.size
    assert 1 / high - 1e-4 < float(area.min()) < 1.1 / high and 0.9 / low < float(area.max()) < 1 / low + 1e-4
    shift = -torch.linalg.solve(maps[:, :, :2], maps[..., 2])
    assert 0.9 * DEFAULT.shift < float(shift.abs().max()) < DEFAULT.shift + 1e-4


def test_turned_all_the_way_round() -> None:
    only = STILL._replace(turn=math.pi)
    maps = random_maps(2000, at(2), only)[:, :, :2]
    kept = maps[torch.linalg.det(maps) > 0]
    angle = torch.atan2(kept[:, 1, 0], kept[:, 0, 0])
    assert float(angle.min()) < -3 and float(angle.max()) > 3 and abs(float(angle.mean())) < 0.2


def test_about_the_share_is_moved_and_the_rest_is_as_it_was() -> None:
    before = characters()
    after = moved(before, 0.8, at(3))
    same = (after == before).all(3).all(2)[:, 0]
    assert after.dtype == torch.uint8 and 0.1 < float(same.float().mean()) < 0.3
    assert torch.equal(after, moved(before, 0.8, at(3)))
    assert torch.equal(moved(before, 0.0, at(3)), before)


def test_only_a_source_that_moves_does() -> None:
    plain, moving = DrawingSource("digits"), DrawingSource("digits", moved=1.0)
    assert torch.equal(plain.batch(5, at(0)).labels, moving.batch(5, at(0)).labels)
    assert not torch.equal(plain.batch(5, at(0)).images, moving.batch(5, at(0)).images)


def test_sizes_are_even_in_their_logarithm() -> None:
    low, high = (0.25, 1.0)
    maps = random_maps(20000, Generator().manual_seed(0), Ranges((low, high), 0.0, 0.0, 0.0, 0.0))
    size = torch.linalg.det(maps[:, :, :2]).abs().rsqrt()
    assert abs(size.median() - math.sqrt(low * high)) < 0.02
