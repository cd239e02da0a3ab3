"""npz files, read whole: numpy's own reader stops before the checksum and takes some damage for data."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def read_npz(path: Path, keys: Iterable[str]) -> dict[str, np.ndarray]:
    """Those of the arrays `keys` that the file has, each against its checksum. No pickle is loaded.

    A broken archive raises nearly anything: BadZipFile, zlib.error, EOFError, ValueError, MemoryError.
    """
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        if min((member.header_offset for member in archive.infolist()), default=0):
            raise ValueError("something stands before the archive")
        members = set(archive.namelist())
        for key in keys:
            if f"{key}.npy" in members:
                content = io.BytesIO(archive.read(f"{key}.npy"))
                arrays[key] = np.lib.format.read_array(content, allow_pickle=False)
                if content.read(1):
                    raise ValueError(f"{key} is longer than it says")
    return arrays
