"""Images of one's own as a stream."""

import numpy as np
import pytest
import torch
from torch import Generator

from neurosym_lite.data.own_images import ImageSource, read_images


def test_every_tenth_image_is_held_out_and_none_is_in_both_parts(tmp_path) -> None:
    images = np.arange(25, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "mine.npz", images=images)
    train, test = (ImageSource(tmp_path / "mine.npz", split, 3, 8) for split in ("train", "test"))
    assert test.images[:, 0, 0, 0].tolist() == [9, 19] and len(train.images) == 23
    assert not set(test.images[:, 0, 0, 0].tolist()) & set(train.images[:, 0, 0, 0].tolist())
    batch = train.batch(200, Generator().manual_seed(0)).images
    assert batch.dtype == torch.uint8 and set(batch[:, 0, 0, 0].tolist()) == set(train.images[:, 0, 0, 0].tolist())
    assert torch.equal(batch, train.batch(200, Generator().manual_seed(0)).images)
    assert train.batch(0, Generator()).images.shape == (0, 3, 8, 8)


def test_floats_and_images_without_a_channel_axis_do_too(tmp_path) -> None:
    np.savez(tmp_path / "mine.npz", images=np.linspace(0, 1, 10)[:, None, None] * np.ones((1, 8, 8)))
    assert ImageSource(tmp_path / "mine.npz", "test", 1, 8).images.unique().tolist() == [255]


def test_bytes_of_0_and_1_alone_are_refused(tmp_path) -> None:
    """As bytes they would be black pages with ink that nobody can see."""
    masks = np.zeros((10, 8, 8), np.uint8)
    np.savez(tmp_path / "mine.npz", images=masks)
    assert read_images(tmp_path / "mine.npz", 1, 8).shape == (10, 1, 8, 8)  # blank pages are what they are
    masks[3, 2:4] = 1
    np.savez(tmp_path / "mine.npz", images=masks)
    with pytest.raises(ValueError, match="no uint8 values but 0 and 1: make them 0 and 255, or floats"):
        read_images(tmp_path / "mine.npz", 1, 8)
    np.savez(tmp_path / "mine.npz", images=255 * masks)
    assert read_images(tmp_path / "mine.npz", 1, 8).max() == 1


@pytest.mark.parametrize(("shape", "said"), [((9, 8, 8), "at least 10"), ((20, 9, 9), "shape"), ((0, 8, 8), "shape")])
def test_what_cannot_be_a_training_set_is_refused(tmp_path, shape: tuple[int, ...], said: str) -> None:
    np.savez(tmp_path / "mine.npz", images=np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match=said):
        ImageSource(tmp_path / "mine.npz", size=8)
    with pytest.raises(ValueError, match="no such file"):
        ImageSource(tmp_path / "yours.npz", size=8)
    with pytest.raises(ValueError, match="expected train or test"):
        ImageSource(tmp_path / "mine.npz", "all", size=8)
