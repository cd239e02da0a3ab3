"""Tiny files in the official formats, and a local server to download them from."""

import gzip
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from neurosym_lite.data import conversion, sources
from neurosym_lite.data.sources import DataError

QUICKDRAW_ROWS = (3, 2)  # train, test rows of each category, in place of 2,500 and 500


def random_glyphs(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def drawing(row: int, column: int) -> bytes:
    """A black 15-pixel square on white, 105x105: 4x4 pixels at (row, column) of the 28x28 glyph."""
    page = np.full((105, 105), 255, np.uint8)
    top, left = row * 105 // 28, column * 105 // 28
    page[top : top + 15, left : left + 15] = 0
    buffer = io.BytesIO()
    Image.fromarray(page).convert("1").save(buffer, "PNG")
    return buffer.getvalue()


def four_files(train: int = 5, test: int = 3) -> dict[str, bytes]:
    """MNIST's and KMNIST's files: labels count up from 0."""
    return {
        "train-images-idx3-ubyte.gz": gzip.compress(idx(random_glyphs(train, 0))),
        "train-labels-idx1-ubyte.gz": gzip.compress(idx(np.arange(train))),
        "t10k-images-idx3-ubyte.gz": gzip.compress(idx(random_glyphs(test, 1))),
        "t10k-labels-idx1-ubyte.gz": gzip.compress(idx(np.arange(test))),
    }


def emnist_files() -> dict[str, bytes]:
    """The zip of all EMNIST sets, with another set than Balanced in it; images lie on their side."""
    members = {"gzip/emnist-letters-train-images-idx3-ubyte.gz": b"another set"}
    for seed, (split, n) in enumerate({"train": 6, "test": 4}.items()):
        lying = random_glyphs(n, seed).transpose(0, 2, 1)
        members[f"gzip/emnist-balanced-{split}-images-idx3-ubyte.gz"] = gzip.compress(idx(lying))
        members[f"gzip/emnist-balanced-{split}-labels-idx1-ubyte.gz"] = gzip.compress(idx(46 - np.arange(n)))
    return {"gzip.zip": zipped(members)}


def omniglot_files() -> dict[str, bytes]:
    """Background: Beta (characters 1, 2), Alpha (1); evaluation: Alpha (1); drawer d's square is at row 4 d."""
    background = {
        f"images_background/{alphabet}/character{character:02d}/{lake:04d}_{drawer:02d}.png": drawing(
            4 * drawer, 4 * character
        )
        for alphabet, character, lake in (("Beta", 1, 8), ("Beta", 2, 9), ("Alpha", 1, 3))
        for drawer in (2, 1)
    }
    evaluation = {"images_evaluation/Alpha/character01/0965_01.png": drawing(12, 16)}
    litter = {"__MACOSX/images_background/Beta/.DS_Store": b"", "images_background/Beta/character01/": b""}
    return {"images_background.zip": zipped(litter | background), "images_evaluation.zip": zipped(evaluation)}


def one_shot_files() -> dict[str, bytes]:
    """Two runs of two characters: support c's square at row 4 c, column 4 r of run r; queries in turned order."""
    members = {"run01/": b"", "__MACOSX/run01/.DS_Store": b""}
    for run in (2, 1):
        lines = []
        for query in (1, 2):
            support = 3 - query
            members[f"run{run:02d}/training/class{query:02d}.png"] = drawing(4 * query, 4 * run)
            members[f"run{run:02d}/test/item{query:02d}.png"] = drawing(4 * support, 12 + 4 * run)
            lines.append(f"run{run:02d}/test/item{query:02d}.png run{run:02d}/training/class{support:02d}.png\n")
        members[f"run{run:02d}/class_labels.txt"] = "".join(lines).encode()
    return {"all_runs.zip": zipped(members)}


def quickdraw_files() -> dict[str, bytes]:
    """Two categories of 40 rows; row r of category c is filled with 10 c + r."""
    rows = np.repeat(np.arange(40, dtype=np.uint8)[:, None], 784, axis=1)
    return {"cat.npy": npy(rows), "dog.npy": npy(rows + np.uint8(10))}


FILES = {
    "mnist": four_files,
    "kmnist": four_files,
    "emnist": emnist_files,
    "omniglot": omniglot_files,
    "quickdraw": quickdraw_files,
    "one-shot": one_shot_files,
}


def told(call, *pieces: object) -> str:
    """The message of the DataError that `call` raises: one line that holds all `pieces`."""
    with pytest.raises(DataError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for piece in pieces:
        assert str(piece) in message
    return message


class Web:
    """A server on 127.0.0.1 that hands out `files`; what it does wrong is for a test to choose."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, int]] = []  # path, bytes sent
        self.ranges = True  # answer a Range request with that part
        self.cut = 0  # bytes that are announced and never sent
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["Web"]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = self.files.get(request.path)
        if body is None:
            request.send_error(404)
            return
        part = request.headers.get("Range") if self.ranges else None
        if part:
            body = body[: int(part.removeprefix("bytes=0-")) + 1]
        request.send_response(206 if part else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        sent = body[: len(body) - self.cut]
        request.wfile.write(sent)
        self.asked.append((request.path, len(sent)))

    def publish(self, monkeypatch, name: str, files: dict[str, bytes] | None = None) -> dict[str, bytes]:
        """Serves tiny official files of `name` and points the tables of addresses and checksums at them."""
        files = FILES[name]() if files is None else files
        official = []
        for file, content in files.items():
            self.files[f"/{name}/{file}"] = content
            md5, first = hashlib.md5(content).hexdigest(), None
            if name == "quickdraw":
                md5, first = None, conversion.NPY_HEADER + sum(QUICKDRAW_ROWS) * 784
            official.append(sources.Official(f"{self.url}/{name}/{file}", md5, first))
        monkeypatch.setitem(sources.OFFICIAL, name, tuple(official))
        monkeypatch.setattr(conversion, "QUICKDRAW_TRAIN", QUICKDRAW_ROWS[0])
        monkeypatch.setattr(conversion, "QUICKDRAW_TEST", QUICKDRAW_ROWS[1])
        return files
