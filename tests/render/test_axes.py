"""One axis: its pixels, its weights."""

import torch

from neurosym_lite.render.axes import hat_weights, pixel_centres, pixel_index


def test_pixel_centres_are_half_a_pixel_from_the_edges() -> None:
    torch.testing.assert_close(pixel_centres(4, torch.zeros(1)), torch.tensor([-0.75, -0.25, 0.25, 0.75]))


def test_hat_weights_interpolate_and_fade_outside() -> None:
    weights = hat_weights(torch.tensor([-0.75, -0.5, -1.25, -2.0]), 4)
    expected = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.0, 0, 0, 0], [0.0, 0, 0, 0]])
    torch.testing.assert_close(weights, expected)
    # between the outermost pixel centre and the edge of the axis the zero outside is mixed in
    torch.testing.assert_close(hat_weights(torch.tensor([-1.0]), 4), torch.tensor([[0.5, 0, 0, 0]]))


def test_indices_and_centres_are_each_others_inverse() -> None:
    torch.testing.assert_close(pixel_index(pixel_centres(7, torch.zeros(1)), 7), torch.arange(7.0))
