"""Images of one's own as a stream: the array `images` of an npz."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from neurosym_lite.data.archives import read_npz

HELD_OUT = 10  # every how many images one is kept for testing


class Images(NamedTuple):
    """Images, 0 to 255, of which nothing else is known."""

    images: UInt8[Tensor, "B C H W"]


class ImageSource:
    """The images of a file, in the order that the generator gives; every tenth is held out."""

    def __init__(
        self,
        path: str | Path,
        split: str = "train",
        channels: int = 1,
        size: int = 64,
        device: str = "cpu",
        digest: str = "",
    ) -> None:
        """`split` is "train" or "test"; the images lie on `device`, and so has the generator that `batch` is given.

        Raises ValueError as `read_images` does, for fewer images than ten, for another split, and for images that have
        another digest than the one that is given.
        """
        if split not in ("train", "test"):
            raise ValueError(f"unknown split {split!r}: expected train or test")
        images = read_images(Path(path), channels, size)
        if len(images) < HELD_OUT:
            raise ValueError(f"{path} has {len(images)} images: expected at least {HELD_OUT}, every tenth is held out")
        pixels = as_bytes(images)
        if digest and digest_of(pixels) != digest:
            raise ValueError(
                f"{path} has other images than those that were trained on: bring those back, or train anew"
            )
        held_out = torch.arange(len(images)) % HELD_OUT == HELD_OUT - 1
        self.images = pixels[held_out if split == "test" else ~held_out].to(device)

    def batch(self, n: int, generator: Generator) -> Images:
        """n images, drawn with replacement; the generator has to be on the source's device."""
        rows = torch.randint(0, len(self.images), (n,), generator=generator, device=generator.device)
        return Images(self.images[rows])


def digest_of(pixels: UInt8[Tensor, "N C H W"]) -> str:
    """A fingerprint of images, whatever file they are in."""
    return hashlib.blake2b(pixels.contiguous().numpy(), digest_size=16).hexdigest()


def as_bytes(images: Float[Tensor, "N C H W"]) -> UInt8[Tensor, "N C H W"]:
    """Images in [0, 1] as 0 to 255."""
    return (255 * images).round().to(torch.uint8)


def read_images(path: Path, channels: int, size: int) -> Float[Tensor, "N C H W"]:
    """The array `images` of an npz as floats in [0, 1]; ink has to be white on black.

    Raises ValueError when it does not fit the model.
    """
    want = f"expected an array `images` of (N, {channels}, {size}, {size}), uint8 or floats in [0, 1]"
    try:
        array = read_npz(path, ("images",))["images"]
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except Exception as error:  # a dozen kinds for damaged archives
        raise ValueError(f"{path} cannot be read ({type(error).__name__}): {want}") from error
    if array.ndim == 3:
        array = array[:, None]
    drawable = size >= 32 and size % 2 == 0  # by these commands
    if drawable and array.shape[1:2] == (channels,) and array.shape[2:] != (size, size):
        want += f"; `data scenes` and `data arrow-room` make them so with --size {size}"
    if array.shape[1:] != (channels, size, size) or len(array) == 0:
        raise ValueError(f"{path} has shape {array.shape}: {want}")
    if array.dtype == np.uint8 and array.max() == 1:
        raise ValueError(f"{path} has no uint8 values but 0 and 1: make them 0 and 255, or floats; {want}")
    if array.dtype == np.uint8:
        return torch.from_numpy(array).float() / 255
    if not np.issubdtype(array.dtype, np.floating) or not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"{path} has {array.dtype} values outside [0, 1] or of another type: {want}")
    return torch.from_numpy(array.astype(np.float32))
