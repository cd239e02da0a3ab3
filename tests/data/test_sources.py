"""Where sets are looked for, the official tables, prepared files good and broken, and what a reader is told."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from neurosym_lite.data import glyphs, sources

from .official import npy, random_glyphs, told


def prepared(folder: Path, name: str = "mnist", **changes: object) -> Path:
    """A small prepared MNIST-like file, with arrays replaced (or left out, where None)."""
    arrays = {"train_images": random_glyphs(4, 0), "train_labels": np.arange(4, dtype=np.uint8)}
    arrays |= {"test_images": random_glyphs(2, 1), "test_labels": np.arange(2, dtype=np.uint8)} | changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / sources.PREPARED[name]
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    return path


# where a set is looked for


def test_names_and_what_is_at_hand(cache, tmp_path, monkeypatch):
    assert sources.NAMES == ("digits", "mnist", "emnist", "kmnist", "quickdraw", "omniglot", "one-shot")
    nothing = dict.fromkeys(sources.NAMES) | {"digits": "bundled with scikit-learn"}
    assert sources.at_hand() == nothing
    path = prepared(cache)
    assert sources.at_hand() == nothing | {"mnist": str(path)}
    first = prepared(tmp_path / "mine")
    monkeypatch.setenv("NEUROSYM_DATA", str(tmp_path / "mine"))
    assert sources.at_hand()["mnist"] == str(first)  # before the cache
    assert sources.fetch("mnist") == first
    first.unlink()
    assert sources.fetch("mnist") == path


def test_a_user_without_a_home_has_no_cache(tmp_path, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(sources, "cache_folder", nowhere)
    monkeypatch.delenv("NEUROSYM_DATA", raising=False)
    assert sources.at_hand()["mnist"] is None
    told(lambda: sources.fetch("mnist"), "no home folder", "XDG_CACHE_HOME")
    path = prepared(tmp_path / "mine")
    monkeypatch.setenv("NEUROSYM_DATA", str(tmp_path / "mine"))
    assert sources.fetch("mnist") == path


def test_digits_need_no_download(cache):
    path = sources.fetch("digits")
    assert path.is_file() and path.name == "digits.csv.gz"
    assert not cache.exists()


def test_digits_without_scikit_learn(cache, monkeypatch):
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    told(lambda: sources.fetch("digits"), "the digits come with scikit-learn", "pip install scikit-learn")


def test_unknown_name_and_folder(cache, tmp_path, monkeypatch):
    told(lambda: sources.fetch("minst"), "'minst'", "digits, mnist, emnist, kmnist, quickdraw, omniglot, one-shot")
    monkeypatch.setenv("NEUROSYM_DATA", str(tmp_path / "nowhere"))
    told(lambda: sources.fetch("mnist"), "NEUROSYM_DATA", tmp_path / "nowhere", "not a folder")
    told(sources.at_hand, "not a folder")
    monkeypatch.setenv("NEUROSYM_DATA", "")
    assert sources.at_hand()["mnist"] is None


def test_cache_folder_is_pooch_s_with_and_without_pooch(tmp_path, monkeypatch):
    pooch = pytest.importorskip("pooch")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert sources.cache_folder() == pooch.os_cache("neurosym_lite")
    with_pooch = sources.cache_folder()
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert sources.cache_folder() == with_pooch


# the official tables


def test_official_tables_are_pinned():
    assert set(sources.OFFICIAL) == set(sources.PREPARED) == set(sources.ARRAYS)
    for name, files in sources.OFFICIAL.items():
        for official in files:
            if name == "quickdraw":
                assert official.md5 is None and official.first_bytes == 256 + 3000 * 784
            elif name == sources.EPISODES:  # nobody publishes its sum: its content is checked
                assert official.md5 is None and official.first_bytes is None
            else:
                assert len(bytes.fromhex(official.md5)) == 16 and official.first_bytes is None
    assert sources.OFFICIAL["mnist"][0].md5 == "f68b3c2dcbeaaa9fbdd348bbdeb94873"
    assert sources.OFFICIAL["kmnist"][2].md5 == "5c965bf0a639b31b8f53240b1b52f4d7"
    assert len(sources.OFFICIAL["quickdraw"]) == 17
    assert sources.OFFICIAL["quickdraw"][7].url.endswith("/full/numpy_bitmap/cat.npy")


# prepared files that are broken


class _Trap:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "npy", "pickle", "pickled array", "folder"])
def test_unreadable_prepared_files(kind, cache, tmp_path):
    path, sprung = prepared(cache), tmp_path / "sprung"
    trap = _Trap(sprung)
    if kind == "pickled array":
        np.savez(path, train_images=np.array([trap], dtype=object))
    elif kind == "folder":
        path.unlink()
        (cache / "mnist.npz").mkdir()
    else:
        whole = path.read_bytes()
        path.write_bytes(
            {
                "empty": b"",
                "text": b"404: Not Found",
                "truncated": whole[: len(whole) // 2],
                "npy": npy(random_glyphs(4, 0)),
                "pickle": pickle.dumps(trap),
            }[kind]
        )
    call = lambda: sources.read("mnist", path, ("train_images", "train_labels"))  # noqa: E731
    told(call, path, "train_images (N, 28, 28) uint8", "delete it", "data fetch mnist", "NEUROSYM_DATA")
    assert not sprung.exists()


def test_a_truncated_member_of_a_whole_archive(cache):
    path = prepared(cache)
    content = bytearray(path.read_bytes())
    content[600] ^= 0xFF  # a pixel: the archive's own checksum notices
    path.write_bytes(content)
    told(lambda: glyphs("mnist"), path, "BadZipFile", "CRC")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_labels": None}, "array train_labels is missing, expected (N,) of an integer type"),
        ({"train_images": np.zeros((4, 28, 28))}, "train_images is (4, 28, 28) float64, expected (N, 28, 28) uint8"),
        ({"train_images": np.zeros((4, 28, 28), np.uint16)}, "train_images is (4, 28, 28) uint16"),
        ({"train_images": np.zeros((4, 784), np.uint8)}, "train_images is (4, 784) uint8"),
        ({"train_images": np.zeros((4, 8, 8), np.uint8)}, "train_images is (4, 8, 8) uint8"),
        ({"train_images": np.zeros((0, 28, 28), np.uint8)}, "train_images is (0, 28, 28) uint8"),
        ({"train_labels": np.zeros(4)}, "train_labels is (4,) float64"),
        ({"test_labels": np.array(["a", "b"])}, "test_labels is (2,) <U1"),
    ],
)
def test_prepared_files_with_wrong_arrays(changes, message, cache):
    path = prepared(cache, **changes)
    told(lambda: sources.fetch("mnist"), f"{path}: array {message.removeprefix('array ')}", "data fetch mnist")


def test_class_names_are_checked(cache):
    path = prepared(cache, "kmnist")
    told(lambda: sources.fetch("kmnist"), "array class_names is missing, expected (N,) of text")
    prepared(cache, "kmnist", class_names=np.arange(10))
    told(lambda: sources.fetch("kmnist"), path, "class_names is (10,) int64")
    prepared(cache, "kmnist", class_names=np.array(list("abcd")), more=np.zeros(1))
    assert glyphs("kmnist").classes == tuple("abcd")  # an array more is no harm
