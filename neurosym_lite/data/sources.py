"""Where data sets come from: $NEUROSYM_DATA, the user's cache, or the official files.

A set is at hand when its prepared npz file is; `fetch` downloads the official files once, checks them, and writes it.
"""

import contextlib
import importlib
import os
import shutil
import socket
import sys
import textwrap
import uuid
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from neurosym_lite.data.archives import read_npz
from neurosym_lite.data.conversion import QUICKDRAW_BYTES, SIDE, Arrays, convert

ENVIRONMENT = "NEUROSYM_DATA"  # a folder of prepared files, looked into before the cache
BUNDLED = "digits"  # comes with scikit-learn; everything else is a file
EPISODES = "one-shot"  # not a set of characters, but of tasks
PREPARED = {
    "mnist": "mnist.npz",
    "emnist": "emnist_balanced.npz",
    "kmnist": "kmnist.npz",
    "quickdraw": "quickdraw.npz",
    "omniglot": "omniglot.npz",
    EPISODES: "omniglot_oneshot.npz",
}
NAMES = (BUNDLED, *PREPARED)


class DataError(ValueError):
    """A data set that cannot be had or read; one line that says what was given, what was expected, what to do."""


class Official(NamedTuple):
    """One official file: its address, its md5 (None: checked by size and shape), how many bytes of it are needed."""

    url: str
    md5: str | None
    first_bytes: int | None = None  # None: the whole file


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_KMNIST = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
_OMNIGLOT = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
_QUICKDRAW = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap/"
_CATEGORIES = (
    *("airplane", "apple", "banana", "bicycle", "bird", "book", "bowtie", "cat", "clock"),
    *("diamond", "dog", "eye", "fish", "flower", "house", "lollipop", "rainbow"),
)

# md5 sums: those that torchvision.datasets publishes
OFFICIAL: dict[str, tuple[Official, ...]] = {
    "mnist": (
        Official(_MNIST + "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        Official(_MNIST + "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        Official(_MNIST + "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        Official(_MNIST + "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
    "emnist": (Official("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e"),),
    "kmnist": (
        Official(_KMNIST + "train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        Official(_KMNIST + "train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        Official(_KMNIST + "t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        Official(_KMNIST + "t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ),
    "quickdraw": tuple(Official(f"{_QUICKDRAW}{name}.npy", None, QUICKDRAW_BYTES) for name in _CATEGORIES),
    "omniglot": (
        Official(_OMNIGLOT + "images_background.zip", "68d2efa1b9178cc56df9314c21c6e718"),
        Official(_OMNIGLOT + "images_evaluation.zip", "6b91aef0f799c5bb55b94e3f2daec811"),
    ),
    EPISODES: (Official(_OMNIGLOT + "one-shot-classification/all_runs.zip", None),),
}


class Wanted(NamedTuple):
    """What a prepared array must be: sizes (None: any but zero) and the kinds of number (numpy's dtype.kind)."""

    shape: tuple[int | None, ...]
    kinds: str
    words: str


_IMAGES = Wanted((None, SIDE, SIDE), "u", "(N, 28, 28) uint8")
_INTEGERS = Wanted((None,), "iu", "(N,) of an integer type")
_TEXTS = Wanted((None,), "U", "(N,) of text (dtype <U)")
_SPLIT = {"train_images": _IMAGES, "train_labels": _INTEGERS, "test_images": _IMAGES, "test_labels": _INTEGERS}
_NAMED = _SPLIT | {"class_names": _TEXTS}
_EPISODES = Wanted((None, None, SIDE, SIDE), "u", "(episodes, N, 28, 28) of unsigned integers")
_INDICES = dict.fromkeys(("character_global", "alphabet", "character", "split"), _INTEGERS)

# the arrays that this package reads; a file may hold more
ARRAYS: dict[str, dict[str, Wanted]] = {
    "mnist": _SPLIT,
    "emnist": _NAMED,
    "kmnist": _NAMED,
    "quickdraw": _NAMED,
    "omniglot": {"images28": _IMAGES, "drawer": _INTEGERS} | _INDICES | {"alphabet_names": _TEXTS},
    EPISODES: {
        "support28": _EPISODES,
        "query28": _EPISODES,
        "match": Wanted((None, None), "iu", "(episodes, N) of an integer type"),
    },
}


def fetch(name: str, progress: bool = True) -> Path:
    """Makes sure that data set `name` is at hand and whole, downloading it if need be; the file it is in.

    `progress`: say on standard error what is downloaded, with a bar where that is a terminal.
    Raises DataError: unknown name, no network, a failed checksum, a folder that cannot be written, a broken file.
    """
    path = locate(name, progress)
    if name != BUNDLED:
        read(name, path, ARRAYS[name])
    return path


def at_hand() -> dict[str, str | None]:
    """For each data set where it is found, or None where it would have to be downloaded. Looks, reads nothing.

    Raises DataError when NEUROSYM_DATA is not a folder.
    """
    found = {name: _find(name) for name in PREPARED}
    return {BUNDLED: "bundled with scikit-learn"} | {name: path and str(path) for name, path in found.items()}


def locate(name: str, progress: bool = True) -> Path:
    """The file of data set `name`: from NEUROSYM_DATA, else the cache, else downloaded into it. Raises as `fetch`."""
    if name not in NAMES:
        raise DataError(f"unknown data set {name!r}: expected one of {', '.join(NAMES)}")
    if name == BUNDLED:
        return _bundled()
    return _find(name) or _prepare(name, progress)


def _bundled() -> Path:
    """scikit-learn's file of digits, found without importing it: that takes seconds."""
    spec = find_spec("sklearn")
    path = Path(spec.origin if spec and spec.origin else "sklearn").parent / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        raise DataError(f"the digits come with scikit-learn, and {path} is not there: pip install scikit-learn")
    return path


def read(name: str, path: Path, keys: Iterable[str]) -> Arrays:
    """The arrays `keys` of the prepared file `path`, each checked against `ARRAYS[name]`. No pickle is loaded.

    Raises DataError: not an npz file, truncated, pickled, an array missing, of another shape or type.
    """
    again = f"delete it and run `python -m neurosym_lite data fetch {name}`"
    remedy = f"{again}, or set {ENVIRONMENT} to a folder with a good one"
    wanted = {key: ARRAYS[name][key] for key in keys}
    try:
        arrays = read_npz(path, wanted)
    except Exception as error:  # a broken archive raises nearly anything: BadZipFile, zlib.error, EOFError, MemoryError
        expected = ", ".join(f"{key} {want.words}" for key, want in wanted.items())
        raise DataError(
            f"{path} cannot be read ({_short(error)}): expected an npz file with {expected}; {remedy}"
        ) from error
    for key, want in wanted.items():
        array = arrays.get(key)
        if array is None or not _fits(array, want):
            got = "is missing" if array is None else f"is {array.shape} {array.dtype}"
            raise DataError(f"{path}: array {key} {got}, expected {want.words}; {remedy}")
    return arrays


def cache_folder() -> Path:
    """The user's cache of this package, as pooch places it; it need not exist yet."""
    try:
        import pooch
    except ImportError:  # the same place, for a reader who copied a prepared file there
        home = Path.home() / "Library" / "Caches" if sys.platform == "darwin" else Path.home() / ".cache"
        return Path(os.environ.get("XDG_CACHE_HOME") or home) / "neurosym_lite"
    return Path(pooch.os_cache("neurosym_lite")).expanduser()


def _fits(array: np.ndarray, want: Wanted) -> bool:
    sizes = len(array.shape) == len(want.shape) and all(
        size == given if given is not None else size > 0 for size, given in zip(array.shape, want.shape, strict=True)
    )
    return sizes and array.dtype.kind in want.kinds and (want is not _IMAGES or array.dtype == np.uint8)


def _find(name: str) -> Path | None:
    folders = []
    with contextlib.suppress(RuntimeError):  # a user without a home has no cache
        folders.append(cache_folder())
    if given := os.environ.get(ENVIRONMENT):
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise DataError(f"{ENVIRONMENT} is {given!r}, not a folder: set it to a folder of npz files, or unset it")
        folders.insert(0, folder)
    return next((path for folder in folders if os.path.isfile(path := folder / PREPARED[name])), None)


def _prepare(name: str, progress: bool) -> Path:
    """Downloads the official files of `name` and writes its prepared file into the cache."""
    _import("pooch", "pooch", name)
    if name in ("omniglot", EPISODES):
        _import("PIL", "pillow", name)
    try:
        cache = cache_folder()
    except RuntimeError as error:
        raise DataError(f"no home folder to keep {name} in: set XDG_CACHE_HOME to one that can be written") from error
    work = cache / "downloads" / name  # kept until all is done: an interrupted fetch goes on with the files it has
    target = cache / PREPARED[name]
    try:
        work.mkdir(parents=True, exist_ok=True)
        files = [_download(official, work, name, progress) for official in OFFICIAL[name]]
        _write(_converted(name, files), work / f"{target.name}.{uuid.uuid4().hex}", target)
    except (OSError, DataError) as error:
        if target.is_file():  # another process was faster, and has cleared the folder away
            return target
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"cannot write {name} to {cache} ({_short(error)}): make room or allow it, or {_by_hand(name)}"
        ) from error
    shutil.rmtree(work, ignore_errors=True)
    return target


def _download(official: Official, folder: Path, name: str, progress: bool) -> Path:
    """One official file in `folder`, downloaded to a temporary file, checked and renamed by pooch."""
    pooch, requests = _import("pooch", "pooch", name), _import("requests", "requests", name)
    pooch.get_logger().setLevel("WARNING")  # its information is ours to give
    path = folder / _file_name(official)
    if progress and not path.exists():
        print(f"downloading {official.url}", file=sys.stderr)
    headers = {"Accept-Encoding": "identity"}  # a .gz file is wanted as it is, not unpacked on the way
    if official.first_bytes is not None:
        headers["Range"] = f"bytes=0-{official.first_bytes - 1}"
    bar = progress and sys.stderr.isatty() and find_spec("tqdm") is not None
    known_hash = official.md5 and f"md5:{official.md5}"
    answers: list[Any] = []  # pooch leaves them open where it fails
    hooks = {"response": lambda answer, **_: answers.append(answer)}
    get = pooch.HTTPDownloader(progressbar=bar, headers=headers, hooks=hooks)
    try:
        pooch.retrieve(official.url, known_hash, fname=path.name, path=folder, downloader=get)
    except requests.exceptions.RequestException as error:
        missing = [file for file in map(_file_name, OFFICIAL[name]) if not (folder / file).exists()]
        raise DataError(
            f"could not download {official.url}: {_reason(error, official.url)}; put "
            f"{', '.join(missing)} into {folder} and try again, or {_by_hand(name)}"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{official.url} did not give the expected file of md5 {official.md5} ({_short(error)}): "
            f"try again later, or {_by_hand(name)}"
        ) from error
    finally:
        for answer in answers:
            answer.close()
    return path


def _converted(name: str, files: list[Path]) -> Arrays:
    try:
        return convert(name, files)
    except Exception as error:  # gzip, zip and png readers each have exceptions of their own
        for official, path in zip(OFFICIAL[name], files, strict=True):
            if official.md5 is None:  # nothing vouches for it: the next try downloads it afresh
                path.unlink(missing_ok=True)
        raise DataError(
            f"the official files of {name} in {files[0].parent} could not be converted ({_short(error)}): "
            f"try again, or {_by_hand(name)}"
        ) from error


def _write(arrays: Arrays, temporary: Path, target: Path) -> None:
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _import(module: str, package: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(f"preparing {name} needs {package}: pip install {package}, or {_by_hand(name)}") from error


def _by_hand(name: str) -> str:
    return (
        f"put {PREPARED[name]} (made by `python -m neurosym_lite data fetch {name}` on another machine) "
        f"into {cache_folder()}, or into a folder that {ENVIRONMENT} points to"
    )


def _file_name(official: Official) -> str:
    return official.url.rsplit("/", 1)[-1]


def _reason(error: Exception, url: str) -> str:
    """Why a download failed: the first error of the chain in its own words, without those of the libraries above it."""
    first: BaseException = error
    while first.__context__ is not None:
        first = first.__context__
    if isinstance(first, socket.gaierror):
        return f"no network ({urlsplit(url).hostname} not found)"
    return getattr(first, "strerror", None) or _short(first)


def _short(error: BaseException) -> str:
    """What went wrong in one line."""
    return textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" ...")
