"""What commands are given and what they write: files of the right kind, metrics in columns."""

import io
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from neurosym_lite.data.archives import read_npz


def output(name: str, suffixes: tuple[str, ...]) -> Path:
    """An output path, checked before any work is done. Raises ValueError for a wrong ending or place."""
    path = Path(name)
    if path.suffix not in suffixes:
        raise ValueError(f"--out {name}: expected a name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise ValueError(f"--out {name}: there is a folder of that name")
    if not path.resolve().parent.is_dir():
        raise ValueError(f"--out {name}: the folder {path.resolve().parent} does not exist")
    return path


def sheet(images: UInt8[Tensor, "N C H W"], columns: int = 10) -> bytes:
    """PNG of all images side by side, a white line between them. Raises ImportError without Pillow."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("a PNG needs Pillow: pip install pillow, or write an .npz") from error
    columns = min(columns, len(images))
    blank = -len(images) % columns
    padded = nn.functional.pad(images, (1, 1, 1, 1, 0, 0, 0, blank), value=255)
    pixels = rearrange(padded, "(r c) C H W -> (r H) (c W) C", c=columns).squeeze(-1).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def table(metrics: dict[str, float]) -> str:
    """Metrics, a line each, the values below each other."""
    width = max(map(len, metrics), default=0)
    return "\n".join(f"  {name:<{width}} {value:.4f}" for name, value in metrics.items())


def read_images(path: Path, channels: int, size: int) -> Float[Tensor, "N C H W"]:
    """The array `images` of an npz as floats in [0, 1]. Raises ValueError when it does not fit the model."""
    want = f"expected an array `images` of (N, {channels}, {size}, {size}), uint8 or floats in [0, 1]"
    try:
        array = read_npz(path, ("images",))["images"]
    except FileNotFoundError:
        raise ValueError(f"--images {path}: no such file") from None
    except Exception as error:  # a dozen kinds for damaged archives
        raise ValueError(f"--images {path} cannot be read ({type(error).__name__}): {want}") from error
    if array.ndim == 3:
        array = array[:, None]
    if array.shape[1:2] == (channels,) and array.shape[2:] != (size, size):
        want += f"; `data scenes` and `data arrow-room` make them so with --size {size}"
    if array.shape[1:] != (channels, size, size) or len(array) == 0:
        raise ValueError(f"--images {path} has shape {array.shape}: {want}")
    if array.dtype == np.uint8:
        return torch.from_numpy(array).float() / 255
    if not np.issubdtype(array.dtype, np.floating) or not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"--images {path} has {array.dtype} values outside [0, 1] or of another type: {want}")
    return torch.from_numpy(array.astype(np.float32))
