"""Downloads from a local server, those that fail, and a cache that cannot be written."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurosym_lite.data import glyphs, sources

from .official import FILES, emnist_files, four_files, npy, random_glyphs, told, zipped

ROOT = Path(__file__).parents[2]


# downloads


@pytest.mark.parametrize("name", FILES)
def test_download_converts_once_and_leaves_one_file(name, web, cache, monkeypatch):
    files = web.publish(monkeypatch, name)
    path = sources.fetch(name)
    assert path == cache / sources.PREPARED[name]
    assert [file for file, _ in web.asked] == [f"/{name}/{file}" for file in files]
    assert [file.relative_to(cache).as_posix() for file in cache.rglob("*") if file.is_file()] == [path.name]
    assert sources.fetch(name) == path and len(web.asked) == len(files)  # found, not downloaded again
    assert sources.at_hand()[name] == str(path)
    assert set(sources.ARRAYS[name]) <= set(np.load(path, allow_pickle=False).files)


def test_downloaded_glyphs_have_the_official_values(web, monkeypatch):
    web.publish(monkeypatch, "mnist")
    train, test = glyphs("mnist"), glyphs("mnist", "test")
    assert np.array_equal(train.images, random_glyphs(5, 0)) and train.labels.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(test.images, random_glyphs(3, 1)) and test.labels.tolist() == [0, 1, 2]
    assert train.classes == test.classes == tuple("0123456789")


def test_only_the_first_rows_of_quickdraw_are_downloaded(web, monkeypatch):
    web.publish(monkeypatch, "quickdraw")
    sources.fetch("quickdraw")
    assert [size for _, size in web.asked] == [256 + 5 * 784] * 2


def test_quickdraw_from_a_server_without_ranges(web, monkeypatch):
    web.publish(monkeypatch, "quickdraw")
    web.ranges = False
    assert glyphs("quickdraw").images[:, 0, 0].tolist() == [0, 10, 1, 11, 2, 12]
    assert [size for _, size in web.asked] == [128 + 40 * 784] * 2


def test_an_interrupted_fetch_goes_on_with_the_files_it_has(web, cache, monkeypatch):
    web.publish(monkeypatch, "mnist")
    last = web.files.pop("/mnist/t10k-labels-idx1-ubyte.gz")
    told(lambda: sources.fetch("mnist"), "404", "t10k-labels-idx1-ubyte.gz")
    assert len(web.asked) == 3 and not (cache / "mnist.npz").exists()
    web.files["/mnist/t10k-labels-idx1-ubyte.gz"] = last
    sources.fetch("mnist")
    assert [file for file, _ in web.asked[3:]] == ["/mnist/t10k-labels-idx1-ubyte.gz"]


def test_an_official_file_put_by_hand_is_used(web, cache, monkeypatch):
    (content,) = web.publish(monkeypatch, "emnist").values()
    web.files.clear()
    told(lambda: sources.fetch("emnist"), f"put gzip.zip into {cache / 'downloads' / 'emnist'} and try again")
    (cache / "downloads" / "emnist" / "gzip.zip").write_bytes(content)
    assert sources.fetch("emnist") == cache / "emnist_balanced.npz"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_only(web, cache, monkeypatch):
    for terminal, progress, line, bar in ((True, True, 1, 1), (False, True, 1, 0), (True, False, 0, 0)):
        web.publish(monkeypatch, "emnist")
        stream = _Terminal() if terminal else io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            sources.fetch("emnist", progress=progress).unlink()
        assert (f"downloading {web.url}/emnist/gzip.zip" in stream.getvalue()) == line
        assert ("100%|" in stream.getvalue()) == bar


# downloads that fail


def test_no_network(cache, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/train-images-idx3-ubyte.gz"
    monkeypatch.setitem(sources.OFFICIAL, "mnist", (sources.Official(url, "0" * 32),))
    told(lambda: glyphs("mnist"), url, "put mnist.npz (made by `python -m neurosym_lite data fetch mnist`")
    told(lambda: glyphs("mnist"), f"into {cache}, or into a folder that NEUROSYM_DATA points to", "Connection refused")


def test_a_host_that_is_not_found_and_all_files_that_are_missing(web, cache, monkeypatch):
    names = list(web.publish(monkeypatch, "mnist"))
    last = web.files.pop(f"/mnist/{names[3]}")
    told(lambda: sources.fetch("mnist"), "HTTPError: 404", f"; put {names[3]} into {cache}")
    assert last and len(list((cache / "downloads" / "mnist").iterdir())) == 3
    (cache / "downloads" / "mnist" / names[0]).unlink()
    url = sources.OFFICIAL["mnist"][0].url.replace("127.0.0.1", "nowhere.invalid")
    monkeypatch.setitem(sources.OFFICIAL, "mnist", (sources.Official(url, "0" * 32), *sources.OFFICIAL["mnist"][1:]))
    message = told(lambda: sources.fetch("mnist"), f"could not download {url}: no network (nowhere.invalid not found);")
    assert f"; put {names[0]}, {names[3]} into {cache / 'downloads' / 'mnist'} and try again" in message
    assert "HTTP" not in message.replace("http", "")


def test_what_went_wrong_is_not_cut_within_a_word():
    long = sources._short(ValueError("word " * 100))
    assert len(long) <= 200 and long.endswith("word ...")


def test_checksum_mismatch(web, cache, monkeypatch):
    web.publish(monkeypatch, "mnist")
    good = web.files["/mnist/train-labels-idx1-ubyte.gz"]
    web.files["/mnist/train-labels-idx1-ubyte.gz"] = good[:-1] + b"?"
    md5 = sources.OFFICIAL["mnist"][1].md5
    told(lambda: sources.fetch("mnist"), f"{web.url}/mnist/train-labels-idx1-ubyte.gz", f"md5 {md5}", "NEUROSYM_DATA")
    assert [file.name for file in cache.rglob("*") if file.is_file()] == ["train-images-idx3-ubyte.gz"]
    web.files["/mnist/train-labels-idx1-ubyte.gz"] = good
    sources.fetch("mnist")


@pytest.mark.parametrize("name", ["mnist", "quickdraw"])
def test_a_connection_that_breaks(name, web, cache, monkeypatch):
    web.publish(monkeypatch, name)
    web.cut = 40
    told(lambda: sources.fetch(name), f"could not download {web.url}/{name}/", sources.PREPARED[name])
    assert not [file for file in cache.rglob("*") if file.is_file()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>Please log in</html>", "magic string"),
        (npy(np.zeros((4, 784), np.uint8)), "(4, 784) uint8, not (N, 784) uint8 with N at least 5"),
        (npy(np.zeros((40, 100), np.uint8)), "(40, 100) uint8"),
        (npy(np.zeros((40, 784), np.float32)), "(40, 784) float32"),
        (npy(np.zeros((40, 784), np.uint8))[: -36 * 784], "ends after 3136 bytes of pixels, not 3920"),
        (npy(np.array([[None] * 784] * 5)), "object"),
    ],
)
def test_what_has_no_checksum_is_checked_by_size_and_shape(content, reason, web, cache, monkeypatch):
    good = web.publish(monkeypatch, "quickdraw")
    web.files["/quickdraw/dog.npy"] = content
    told(lambda: sources.fetch("quickdraw"), "could not be converted", reason, "quickdraw.npz")
    web.files["/quickdraw/dog.npy"] = good["dog.npy"]
    assert sources.fetch("quickdraw") == cache / "quickdraw.npz"  # the bad file is not kept


def test_official_files_of_another_content(web, monkeypatch):
    web.publish(monkeypatch, "emnist", {"gzip.zip": zipped({"gzip/readme.txt": b""})})
    told(lambda: sources.fetch("emnist"), "no gzip/emnist-balanced-train-images-idx3-ubyte.gz")
    web.publish(monkeypatch, "omniglot", {"images_background.zip": zipped({}), "images_evaluation.zip": zipped({})})
    told(lambda: sources.fetch("omniglot"), "images_background.zip holds no drawing")
    web.publish(monkeypatch, "kmnist", four_files() | {"train-labels-idx1-ubyte.gz": b"not gzip"})
    told(lambda: sources.fetch("kmnist"), "could not be converted", "BadGzipFile")


@pytest.mark.parametrize(("name", "module", "package"), [("mnist", "pooch", "pooch"), ("omniglot", "PIL", "pillow")])
def test_missing_packages_are_named_before_any_download(name, module, package, web, monkeypatch):
    web.publish(monkeypatch, name)
    monkeypatch.setitem(sys.modules, module, None)
    told(lambda: glyphs(name), f"pip install {package}", sources.PREPARED[name])
    assert not web.asked


# a cache that cannot be written


def test_a_cache_that_is_a_file(web, cache, monkeypatch):
    web.publish(monkeypatch, "mnist")
    cache.write_text("in the way")
    told(lambda: sources.fetch("mnist"), f"cannot write mnist to {cache}", "NEUROSYM_DATA")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_cache(web, cache, monkeypatch):
    web.publish(monkeypatch, "mnist")
    cache.mkdir(mode=0o500)
    told(lambda: sources.fetch("mnist"), f"cannot write mnist to {cache}", "PermissionError")


def test_two_fetches_at_once_do_not_break_each_other(web, cache, monkeypatch):
    """The one that is done first clears the folder in which the other still downloads."""
    web.publish(monkeypatch, "mnist")
    original = sources._download

    def overtaken(official, folder, name, progress):
        file = original(official, folder, name, progress)
        if len(web.asked) == 4:
            monkeypatch.setattr(sources, "_download", original)
            sources._prepare(name, progress)
        return file

    monkeypatch.setattr(sources, "_download", overtaken)
    assert sources._prepare("mnist", False) == cache / "mnist.npz"
    assert glyphs("mnist").images.shape[0] > 0 and not (cache / "downloads" / "mnist").exists()


def test_a_full_disk_leaves_no_half_file(web, cache, monkeypatch):
    def full(file, **arrays):
        file.write(b"PK half of it")
        raise OSError(28, "No space left on device")

    web.publish(monkeypatch, "emnist", emnist_files())
    monkeypatch.setattr(np, "savez_compressed", full)
    told(lambda: sources.fetch("emnist"), "No space left on device", f"cannot write emnist to {cache}")
    assert [file.name for file in cache.rglob("*") if file.is_file()] == ["gzip.zip"]


KILLED = """
import json, os, pathlib, signal, sys
from neurosym_lite.data import sources
cache, official = sys.argv[1], json.loads(sys.argv[2])
sources.cache_folder = lambda: pathlib.Path(cache)
sources.OFFICIAL["mnist"] = tuple(sources.Official(*one) for one in official)
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sources.fetch("mnist")
"""


def test_killed_before_the_rename_leaves_no_half_file(web, cache, monkeypatch):
    web.publish(monkeypatch, "mnist")
    arguments = [sys.executable, "-c", KILLED, str(cache), json.dumps(sources.OFFICIAL["mnist"])]
    done = subprocess.run(arguments, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [file.name for file in cache.iterdir()] == ["downloads"]
    assert sources.at_hand()["mnist"] is None
    assert len(list((cache / "downloads" / "mnist").glob("mnist.npz.*"))) == 1  # whole, under another name
    sources.fetch("mnist")
    assert [file.name for file in cache.rglob("*") if file.is_file()] == ["mnist.npz"]
