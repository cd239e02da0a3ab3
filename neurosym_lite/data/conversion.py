"""Official files of the character data sets to the arrays of the prepared npz files.

Everything here reads files that are already on disk and raises ValueError, or what the gzip, zip and png readers
raise, when one of them is not what it should be; sources.py says what to do about it.
"""

import gzip
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

SIDE = 28  # pixels, height and width of every glyph
SPLITS = ("train", "test")

EMNIST_CLASSES = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")  # the 47 of EMNIST Balanced, in its order
KMNIST_CLASSES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

QUICKDRAW_TRAIN, QUICKDRAW_TEST = 2500, 500  # the first rows of each category: train, then test
NPY_HEADER = 256  # bytes; longer than the header of any official Quick, Draw! file (80 or 128)
QUICKDRAW_BYTES = NPY_HEADER + (QUICKDRAW_TRAIN + QUICKDRAW_TEST) * SIDE * SIDE  # what a category's download needs

OMNIGLOT_SIDE = 105  # pixels, height and width of an original drawing
OMNIGLOT_PARTS = ("background", "evaluation")
_MEMBER = re.compile(r"^images_\w+/(?P<alphabet>[^/]+)/character(?P<character>\d+)/(?P<lake>\d+)_(?P<drawer>\d+)\.png$")

# of an episode: its drawings, and a line for each query with the support that it matches
_ITEM = re.compile(r"^(?:\w+/)?run(?P<run>\d+)/(?P<part>test|training)/(?:item|class)(?P<number>\d+)\.png$")
_MATCHES = re.compile(r"^(?:\w+/)?run(?P<run>\d+)/class_labels\.txt$")
_MATCH = re.compile(r"item(?P<query>\d+)\.png\s+\S*class(?P<support>\d+)\.png")

Arrays = dict[str, np.ndarray]


def convert(name: str, files: Sequence[Path]) -> Arrays:
    """The prepared arrays of data set `name`, from its official `files` in the order of `sources.OFFICIAL[name]`.

    Images are uint8 (N, 28, 28), white on black, upright. Raises ValueError where a file's content is wrong.
    """
    return _CONVERTERS[name](files)


def read_idx(raw: bytes, what: str) -> np.ndarray:
    """A uint8 array from the bytes of an idx file (two zeros, type 8, rank, big-endian sizes, values).

    Raises ValueError when the bytes are not such a file, or too few or too many for the sizes they announce.
    """
    rank = raw[3] if len(raw) > 3 else 0
    header = 4 + 4 * rank
    if raw[:3] != b"\0\0\x08" or rank == 0 or len(raw) < header:
        raise ValueError(f"{what} is not an idx file of bytes: it starts with {raw[:4]!r}")
    shape = tuple(int.from_bytes(raw[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(rank))
    size = int(np.prod(shape, dtype=object))
    if len(raw) != header + size:
        raise ValueError(f"{what} announces shape {shape}, so {header + size} bytes, but has {len(raw)}")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def _pair(images: np.ndarray, labels: np.ndarray, split: str) -> Arrays:
    if images.shape[1:] != (SIDE, SIDE) or labels.shape != images.shape[:1]:
        raise ValueError(f"{split} images {images.shape} and labels {labels.shape} are not (N, 28, 28) and (N,)")
    return {f"{split}_images": images, f"{split}_labels": labels}


def _idx_gz(path: Path) -> np.ndarray:
    with gzip.open(path) as file:
        return read_idx(file.read(), path.name)


def _mnist(files: Sequence[Path]) -> Arrays:
    """MNIST's four files: train images, train labels, t10k images, t10k labels."""
    train_images, train_labels, test_images, test_labels = map(_idx_gz, files)
    return _pair(train_images, train_labels, "train") | _pair(test_images, test_labels, "test")


def _kmnist(files: Sequence[Path]) -> Arrays:
    return _mnist(files) | {"class_names": np.array(KMNIST_CLASSES)}


def _emnist(files: Sequence[Path]) -> Arrays:
    """EMNIST Balanced out of the one official zip; its images lie on their side and are stood upright."""
    arrays: Arrays = {}
    with zipfile.ZipFile(files[0]) as archive:

        def member(split: str, kind: str) -> np.ndarray:
            """One of the four idx files inside the zip."""
            name = f"gzip/emnist-balanced-{split}-{kind}-ubyte.gz"
            if name not in archive.namelist():
                raise ValueError(f"{files[0].name} has no {name}")
            return read_idx(gzip.decompress(archive.read(name)), name)

        for split in SPLITS:
            upright = member(split, "images-idx3").swapaxes(1, 2)
            arrays |= _pair(np.ascontiguousarray(upright), member(split, "labels-idx1"), split)
    return arrays | {"class_names": np.array(EMNIST_CLASSES)}


def _bitmaps(path: Path) -> np.ndarray:
    """The first rows of a Quick, Draw! category, (3000, 784) uint8; the rest of the file need not be there."""
    rows = QUICKDRAW_TRAIN + QUICKDRAW_TEST
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{path.name} is an npy file of version {version}, not (1, 0)")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if len(shape) != 2 or shape[0] < rows or shape[1] != SIDE * SIDE or fortran_order or dtype != np.uint8:
            raise ValueError(f"{path.name} holds {shape} {dtype}, not (N, {SIDE * SIDE}) uint8 with N at least {rows}")
        raw = file.read(rows * SIDE * SIDE)
    if len(raw) != rows * SIDE * SIDE:
        raise ValueError(f"{path.name} ends after {len(raw)} bytes of pixels, not {rows * SIDE * SIDE}")
    return np.frombuffer(raw, np.uint8).reshape(rows, SIDE, SIDE)


def _quickdraw(files: Sequence[Path]) -> Arrays:
    """One file a category; the categories take turns, so that any first rows hold all of them."""
    by_row = np.stack([_bitmaps(path) for path in files], axis=1)  # rows, categories, 28, 28
    arrays: Arrays = {}
    for split, part in zip(SPLITS, np.split(by_row, [QUICKDRAW_TRAIN]), strict=True):
        labels = np.tile(np.arange(len(files), dtype=np.uint8), len(part))
        arrays |= _pair(part.reshape(-1, SIDE, SIDE), labels, split)
    return arrays | {"class_names": np.array([path.stem for path in files])}


class _Drawing(NamedTuple):
    """One Omniglot image: where it belongs, its ink (105, 105) bool, and that averaged to (28, 28) uint8."""

    alphabet: str
    character: int  # in its alphabet, from 1
    lake: int  # the character's number over all alphabets, as file names have it, from 1
    drawer: int  # from 1
    ink: np.ndarray
    small: np.ndarray


def _read_drawing(archive: zipfile.ZipFile, member: str) -> tuple[np.ndarray, np.ndarray]:
    """Ink (105, 105) bool, and that averaged to (28, 28) uint8, of an original drawing, black on white."""
    from PIL import Image

    with archive.open(member) as file, Image.open(file) as image:
        ink = np.asarray(image.convert("L")) < 128
    if ink.shape != (OMNIGLOT_SIDE, OMNIGLOT_SIDE):
        raise ValueError(f"{member} has shape {ink.shape}, not ({OMNIGLOT_SIDE}, {OMNIGLOT_SIDE})")
    small = Image.fromarray(ink.astype(np.uint8) * 255).resize((SIDE, SIDE), Image.Resampling.BOX)
    return ink, np.asarray(small)


def _drawings(archive: zipfile.ZipFile) -> Iterator[_Drawing]:
    matches = [match for match in map(_MEMBER.match, archive.namelist()) if match]
    for match in sorted(matches, key=lambda m: (m["alphabet"], int(m["character"]), int(m["drawer"]))):
        numbers = (int(match[key]) for key in ("character", "lake", "drawer"))
        yield _Drawing(match["alphabet"], *numbers, *_read_drawing(archive, match.group()))


def _omniglot(files: Sequence[Path]) -> Arrays:
    """The background zip and the evaluation zip; one row a drawing, ordered by part, alphabet, character, drawer."""
    alphabets: dict[tuple[int, str], int] = {}
    characters: dict[tuple[int, str, int], int] = {}
    rows, packed, small = [], [], []
    for part, path in enumerate(files):
        with zipfile.ZipFile(path) as archive:
            before = len(rows)
            for one in _drawings(archive):
                a = alphabets.setdefault((part, one.alphabet), len(alphabets))
                c = characters.setdefault((part, one.alphabet, one.character), len(characters))
                rows.append((a, one.character - 1, c, one.lake, one.drawer - 1, part))
                packed.append(np.packbits(one.ink, axis=-1))
                small.append(one.small)
        if len(rows) == before:
            raise ValueError(f"{path.name} holds no drawing (alphabet/characterNN/NNNN_DD.png)")
    columns = ("alphabet", "character", "character_global", "lake_character_id", "drawer", "split")
    wide = {"character_global", "lake_character_id"}  # over 255
    table = {
        column: np.array(values, np.int16 if column in wide else np.uint8)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    }
    names = {"alphabet_names": np.array([name for _, name in alphabets]), "split_names": np.array(OMNIGLOT_PARTS)}
    return {"images105_packed": np.stack(packed), "images28": np.stack(small)} | table | names


def _one_shot(files: Sequence[Path]) -> Arrays:
    """The zip of the official episodes: run by run twenty supports, twenty queries, and which belong together."""
    drawings: dict[tuple[int, str, int], np.ndarray] = {}
    matches: dict[tuple[int, int], int] = {}
    with zipfile.ZipFile(files[0]) as archive:
        for member in archive.namelist():
            if item := _ITEM.match(member):
                _, small = _read_drawing(archive, member)
                drawings[int(item["run"]), item["part"], int(item["number"])] = small
            elif labels := _MATCHES.match(member):
                for line in _MATCH.finditer(archive.read(member).decode()):
                    matches[int(labels["run"]), int(line["query"])] = int(line["support"]) - 1
    runs = sorted({run for run, _, _ in drawings})
    numbers = sorted({number for _, _, number in drawings})
    whole = {(run, part, number) for run in runs for part in ("training", "test") for number in numbers}
    if not whole or drawings.keys() != whole or matches.keys() != {(run, number) for run in runs for number in numbers}:
        raise ValueError(f"{files[0].name} does not hold as many queries as supports for each run, all of them matched")
    support, query = (
        np.stack([[drawings[run, part, number] for number in numbers] for run in runs]) for part in ("training", "test")
    )
    match = np.array([[matches[run, number] for number in numbers] for run in runs], np.uint8)
    return {"support28": support, "query28": query, "match": match}


_CONVERTERS: dict[str, Callable[[Sequence[Path]], Arrays]] = {
    "mnist": _mnist,
    "emnist": _emnist,
    "kmnist": _kmnist,
    "quickdraw": _quickdraw,
    "omniglot": _omniglot,
    "one-shot": _one_shot,
}
