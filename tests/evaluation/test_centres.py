"""The detector's map is read as it is written: peaks where they were put, crops of the pixels around them."""

import pytest
import torch

from neurosym_lite.evaluation.centres import CELL, Found, Peaks, crops, detector_net, find, pairs, peaks


def a_map(size: int = 16) -> Found:
    return Found(torch.full((1, size, size), -6.0), torch.zeros(1, size, size, 2))


def test_peaks_are_where_heat_is_highest_moved_by_the_way() -> None:
    found = a_map()
    found.heat[0, 3, 5], found.heat[0, 3, 6], found.heat[0, 12, 2] = 4.0, 3.0, 1.0
    found.way[0, 3, 5] = torch.tensor([0.75, -0.5])
    read = peaks(found, slots=4, threshold=0.4, apart=2)
    assert read.present.tolist() == [[True, True, False, False]], "the surest first, its neighbour not at all"
    assert read.centres[0, 0].tolist() == [5 * CELL + 1 + 0.75, 3 * CELL + 1 - 0.5]
    assert read.centres[0, 1].tolist() == [2 * CELL + 1.0, 12 * CELL + 1.0]
    assert (read.centres[0, 2:] == 0).all()


def test_what_is_below_the_threshold_is_not_there() -> None:
    found = a_map()
    found.heat[0, 4, 4] = -0.5  # a probability of 0.38
    assert not peaks(found, 4, 0.4, 2).present.any() and peaks(found, 4, 0.3, 2).present.sum() == 1


def test_a_crop_is_the_pixels_around_a_place_with_black_beyond_the_picture() -> None:
    images = torch.rand(2, 3, 16, 16)
    cut = crops(images, torch.tensor([1, 0]), torch.tensor([[8.2, 5.8], [0.0, 16.0]]), 4)
    assert torch.equal(cut[0], images[1, :, 4:8, 6:10])
    assert torch.equal(cut[1, :, :2, 2:], images[0, :, 14:, :2]) and cut[1].count_nonzero() == 3 * 4


def test_the_map_has_a_cell_for_two_pixels() -> None:
    found = find(detector_net(3, 8).eval(), torch.rand(2, 3, 32, 32))
    assert found.heat.shape == (2, 16, 16) and found.way.shape == (2, 16, 16, 2)


def test_pairs_are_each_others_nearest_and_near() -> None:
    """Of two finds at one thing the nearer one has it; a thing too far off, or an empty slot, is nobody's."""
    finds = Peaks(torch.tensor([[[4.0, 4.0], [5.0, 4.0], [20.0, 20.0], [0.0, 0.0]]]), torch.tensor([[1, 1, 1, 0]]) > 0)
    true = Peaks(torch.tensor([[[5.5, 4.0], [20.0, 26.0], [0.0, 0.0]]]), torch.tensor([[1, 1, 0]]) > 0)
    found = pairs(finds, true, within=3.0)
    assert found.hit.tolist() == [[False, True, False, False]] and int(found.which[0, 1]) == 0
    assert found.distance[0, :3].tolist() == [1.5, 0.5, 6.0] and found.distance[0, 3].isinf()
    assert pairs(finds, true, within=6.0).hit.tolist() == [[False, True, True, False]]


def test_crops_have_an_even_side() -> None:
    with pytest.raises(ValueError, match=r"crops of 13 pixels: .* even"):
        crops(torch.zeros(1, 1, 64, 64), torch.tensor([0]), torch.tensor([[64.0, 64.0]]), 13)
