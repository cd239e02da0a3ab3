"""What commands are given and what they write: files of the right kind, metrics in columns."""

import io
from pathlib import Path

from einops import rearrange
from jaxtyping import UInt8
from torch import Tensor, nn


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
