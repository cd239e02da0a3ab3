"""Official formats to prepared arrays, value by value."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from neurosym_lite.data import conversion
from neurosym_lite.data.conversion import convert, read_idx

from .official import (
    QUICKDRAW_ROWS,
    drawing,
    emnist_files,
    four_files,
    idx,
    omniglot_files,
    one_shot_files,
    quickdraw_files,
    random_glyphs,
    zipped,
)


def written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def test_read_idx():
    assert np.array_equal(read_idx(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03" + bytes(range(6)), "it"), [[0, 1, 2], [3, 4, 5]])
    assert read_idx(idx(np.zeros((300, 2, 2))), "it").shape == (300, 2, 2)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not an idx file"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "not an idx file of bytes"),  # floats
        (b"\0\0\x08\0", "not an idx file"),
        (b"\0\0\x08\x03\0\0\0\x01", "not an idx file"),
        (b"\0\0\x08\x01\0\0\0\x05abc", r"announces shape \(5,\), so 13 bytes, but has 11"),
        (b"\0\0\x08\x01\0\0\0\x01abc", "so 9 bytes, but has 11"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "so 79228162458924105385300197391 bytes"),
    ],
)
def test_read_idx_refuses(raw, message):
    with pytest.raises(ValueError, match=message):
        read_idx(raw, "it")


def test_mnist_and_kmnist(tmp_path):
    files = written(tmp_path, four_files())
    mnist, kmnist = convert("mnist", files), convert("kmnist", files)
    assert list(mnist) == ["train_images", "train_labels", "test_images", "test_labels"]
    assert np.array_equal(mnist["train_images"], random_glyphs(5, 0))
    assert np.array_equal(mnist["test_images"], random_glyphs(3, 1))
    assert mnist["train_labels"].tolist() == [0, 1, 2, 3, 4] and mnist["test_labels"].tolist() == [0, 1, 2]
    assert kmnist["class_names"].tolist() == ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
    assert {array.dtype.str for array in mnist.values()} == {"|u1"}


def test_images_and_labels_of_different_length(tmp_path):
    files = written(tmp_path, four_files())
    with pytest.raises(ValueError, match=r"train images \(5, 28, 28\) and labels \(3,\)"):
        convert("mnist", [files[0], files[3], *files[2:]])
    with pytest.raises(ValueError, match=r"train images \(5,\)"):
        convert("mnist", [files[1], files[0], *files[2:]])


def test_emnist_stands_upright(tmp_path):
    arrays = convert("emnist", written(tmp_path, emnist_files()))
    assert np.array_equal(arrays["train_images"], random_glyphs(6, 0))
    assert np.array_equal(arrays["test_images"], random_glyphs(4, 1))
    assert arrays["train_labels"].tolist() == [46, 45, 44, 43, 42, 41]
    assert "".join(arrays["class_names"]) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"


def test_quickdraw_categories_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "QUICKDRAW_TRAIN", QUICKDRAW_ROWS[0])
    monkeypatch.setattr(conversion, "QUICKDRAW_TEST", QUICKDRAW_ROWS[1])
    arrays = convert("quickdraw", written(tmp_path, quickdraw_files()))
    assert arrays["train_images"].shape == (6, 28, 28) and arrays["test_images"].shape == (4, 28, 28)
    assert arrays["train_images"][:, 5, 9].tolist() == [0, 10, 1, 11, 2, 12]
    assert arrays["test_images"][:, 27, 27].tolist() == [3, 13, 4, 14]
    assert arrays["train_labels"].tolist() == [0, 1, 0, 1, 0, 1] and arrays["test_labels"].tolist() == [0, 1, 0, 1]
    assert arrays["class_names"].tolist() == ["cat", "dog"]


def test_omniglot_rows_and_pixels(tmp_path):
    arrays = convert("omniglot", written(tmp_path, omniglot_files()))
    expected = {
        "alphabet": [0, 0, 1, 1, 1, 1, 2],  # Alpha before Beta; the evaluation part's Alpha is another
        "character": [0, 0, 0, 0, 1, 1, 0],
        "character_global": [0, 0, 1, 1, 2, 2, 3],
        "lake_character_id": [3, 3, 8, 8, 9, 9, 965],
        "drawer": [0, 1, 0, 1, 0, 1, 0],
        "split": [0, 0, 0, 0, 0, 0, 1],
        "alphabet_names": ["Alpha", "Beta", "Alpha"],
        "split_names": ["background", "evaluation"],
    }
    for key, values in expected.items():
        assert arrays[key].tolist() == values
    assert arrays["character_global"].dtype == arrays["lake_character_id"].dtype == np.int16
    for image, row, column in zip(arrays["images28"], [4, 8, 4, 8, 4, 8, 12], [4, 4, 4, 4, 8, 8, 16], strict=True):
        square = np.zeros((28, 28), np.uint8)
        square[row : row + 4, column : column + 4] = 255  # white on black, its place kept
        assert np.array_equal(image, square)
    whole = np.unpackbits(arrays["images105_packed"], axis=-1)[..., :105]
    assert whole.shape == (7, 105, 105) and whole[-1, 45:60, 60:75].all() and whole[-1].sum() == 15 * 15


def test_omniglot_drawings_of_another_size(tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "OMNIGLOT_SIDE", 100)
    files = written(tmp_path, {"a.zip": zipped({"images_background/A/character01/0001_01.png": drawing(0, 0)})})
    with pytest.raises(ValueError, match=r"0001_01.png has shape \(105, 105\), not \(100, 100\)"):
        convert("omniglot", files)


def test_one_shot_runs_in_order_with_their_matches(tmp_path):
    arrays = convert("one-shot", written(tmp_path, one_shot_files()))
    assert arrays["match"].tolist() == [[1, 0], [1, 0]]
    assert arrays["support28"].shape == arrays["query28"].shape == (2, 2, 28, 28)
    for run in (0, 1):
        for number in (0, 1):
            support, query = arrays["support28"][run, number], arrays["query28"][run, number]
            assert np.argwhere(support).min(0).tolist() == [4 * number + 4, 4 * run + 4] and support.max() == 255
            row = 4 * arrays["match"][run, number] + 4  # a query is drawn at the row of its support
            assert np.argwhere(query).min(0).tolist() == [row, 4 * run + 16]


@pytest.mark.parametrize("left_out", ["run01/training/class02.png", "run02/test/item01.png", "run01/class_labels.txt"])
def test_one_shot_runs_that_are_not_whole(tmp_path, left_out):
    with zipfile.ZipFile(io.BytesIO(one_shot_files()["all_runs.zip"])) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != left_out}
    with pytest.raises(ValueError, match=r"all_runs.zip does not hold as many queries as supports"):
        convert("one-shot", written(tmp_path, {"all_runs.zip": zipped(members)}))
