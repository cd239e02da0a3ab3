"""The embedded digits, the sets by name, and real data where NEUROSYM_DATA has it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from neurosym_lite.data import Glyphs, glyphs
from neurosym_lite.data.glyphs import core
from neurosym_lite.data.sources import ENVIRONMENT, PREPARED, DataError

from .official import random_glyphs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    return tmp_path


# the embedded digits


def test_digits_split_is_stratified_and_pinned():
    train, test = glyphs("digits"), glyphs("digits", "test")
    assert isinstance(train, Glyphs) and train.classes == test.classes == tuple("0123456789")
    assert torch.bincount(train.labels).tolist() == [142, 146, 142, 146, 145, 146, 145, 143, 139, 144]
    assert torch.bincount(test.labels).tolist() == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    # another split would put test digits into the training of shipped checkpoints
    assert test.labels[:20].tolist() == [0, 4, 1, 2, 6, 7, 5, 6, 9, 1, 7, 5, 1, 8, 3, 2, 3, 9, 6, 5]
    digest = hashlib.sha256(test.labels.numpy().astype("<i8").tobytes()).hexdigest()
    assert digest == "e7cb55bb6501c7bdbdccd4d86ba8fdef8e44d826492b07ce51d7eb1c43ecacb0"


def test_digits_are_the_same_each_time_and_train_and_test_do_not_mix():
    train, test = glyphs("digits", "train"), glyphs("digits", "test")
    assert torch.equal(train.images, glyphs("digits").images)
    distinct = {image.tobytes() for image in load_digits().images}
    seen = [{image.numpy().tobytes() for image in part.images} for part in (train, test)]
    assert not seen[0] & seen[1]
    assert len(distinct) == len(seen[0]) + len(seen[1]) == 1797


def test_digits_have_mnist_s_frame_and_contrast():
    for split, n in (("train", 1438), ("test", 359)):
        images = glyphs("digits", split).images
        assert images.dtype == torch.uint8 and images.shape == (n, 28, 28)
        assert images.sum() == core(images).sum()  # black rim
        assert (images.amax((1, 2)) == 255).all() and (images.amin((1, 2)) == 0).all()
        outermost = torch.stack([core(images)[:, side].float().mean() for side in (0, -1)])
        assert outermost.max() < 20  # strokes fade out inside the core instead of being cut at its border
        assert (core(images)[:, 1:3].amax((1, 2)) > 60).all()  # and the ink is as tall as the core
        assert (core(images)[:, -3:-1].amax((1, 2)) > 60).all()


def test_each_digit_is_found_again_in_the_bundle():
    both = [glyphs("digits", split) for split in ("train", "test")]
    images, labels = torch.cat([g.images for g in both]).float(), torch.cat([g.labels for g in both])
    # a pixel of the 8x8 original is 2.2 glyph pixels wide, and the middle stays the middle
    centres = 2.2 * (torch.arange(8) - 3.5) / 14  # on the canvas [-1, 1]
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1).expand(len(images), 8, 8, 2)
    sampled = torch.nn.functional.grid_sample(images[:, None], grid, align_corners=False).flatten(1)
    bundle = load_digits()
    original = torch.from_numpy(bundle.images).float().flatten(1)
    likeness, index = (_standard(sampled) @ _standard(original).T).max(1)
    assert index.sort().values.tolist() == list(range(1797))
    assert torch.equal(torch.from_numpy(bundle.target)[index], labels)
    assert likeness.min() > 0.98
    assert all(index[part].diff().gt(0).all() for part in (slice(1438), slice(1438, None)))  # in the bundle's order


def _standard(rows: torch.Tensor) -> torch.Tensor:
    centred = rows - rows.mean(1, keepdim=True)
    return centred / centred.norm(dim=1, keepdim=True)


def test_digits_need_no_downloader_and_no_plotting_and_are_read_without_importing_scikit_learn():
    code = (
        "import sys\n"
        "for name in ('pooch', 'requests', 'PIL', 'tqdm', 'matplotlib'): sys.modules[name] = None\n"
        "from neurosym_lite.data import glyphs\n"
        "from neurosym_lite.data.sources import at_hand\n"
        "print(len(glyphs('digits').images), at_hand()['digits'], 'sklearn' in sys.modules)"
    )
    environment = {key: value for key, value in os.environ.items() if key != ENVIRONMENT} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "1438 bundled with scikit-learn False\n", done.stderr


def test_core_is_the_middle():
    images = torch.from_numpy(random_glyphs(3, 0))
    assert core(images).shape == (3, 20, 20)
    assert torch.equal(core(images)[:, 0, 19], images[:, 4, 23])


# sets by name


def test_unknown_split_and_name():
    with pytest.raises(DataError, match="unknown split 'valid': expected one of train, test"):
        glyphs("digits", "valid")
    with pytest.raises(DataError, match="unknown data set 'digit': expected one of digits, mnist"):
        glyphs("digit")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.array([0, 1, 10]),
            "3 images and 3 labels from 0 to 10, expected as many labels as images, each from 0 to 9",
        ),
        (np.array([0, -1, 9]), "labels from -1 to 9"),
        (np.array([0, 1]), "3 images and 2 labels"),
    ],
)
def test_labels_that_do_not_fit(labels, message, folder):
    np.savez(folder / "mnist.npz", test_images=random_glyphs(3, 0), test_labels=labels)
    with pytest.raises(DataError, match=message):
        glyphs("mnist", "test")


def test_class_names_come_with_the_set(folder):
    arrays = {"test_images": random_glyphs(2, 0), "test_labels": np.array([1, 0], np.int32)}
    np.savez(folder / "quickdraw.npz", **arrays, class_names=np.array(["cat", "dog"]))
    found = glyphs("quickdraw", "test")
    assert found.classes == ("cat", "dog") and found.labels.tolist() == [1, 0] and found.labels.dtype == torch.int64
    assert np.array_equal(found.images, arrays["test_images"])


def omniglot_arrays(**changes: object) -> dict[str, object]:
    """Alpha with two characters in the background part, Beta with one in the evaluation part."""
    arrays = {"images28": random_glyphs(5, 0), "split": np.array([0, 0, 0, 1, 1], np.uint8)}
    arrays |= {
        "character_global": np.array([0, 1, 1, 2, 2], np.int16),
        "character": np.array([0, 1, 1, 0, 0], np.uint8),
    }
    return arrays | {"alphabet": np.array([0, 0, 0, 1, 1]), "alphabet_names": np.array(["Alpha", "Beta"])} | changes


def test_omniglot_splits_by_part_and_names_its_characters(folder):
    arrays = omniglot_arrays()
    np.savez(folder / "omniglot.npz", **arrays)
    train, test = glyphs("omniglot"), glyphs("omniglot", "test")
    assert train.classes == test.classes == ("Alpha/character01", "Alpha/character02", "Beta/character01")
    assert train.labels.tolist() == [0, 1, 1] and test.labels.tolist() == [2, 2]
    assert np.array_equal(train.images, arrays["images28"][:3]) and np.array_equal(test.images, arrays["images28"][3:])


@pytest.mark.parametrize(
    "changes",
    [
        {"split": np.zeros(5, np.uint8)},  # no evaluation part
        {"split": np.array([0, 0, 1, 1])},  # one short
        {"character_global": np.array([0, 1, 1, 3, 3])},  # character 2 is missing
        {"alphabet": np.array([0, 0, 0, 2, 2])},  # an alphabet without a name
    ],
)
def test_omniglot_with_columns_that_do_not_fit(changes, folder):
    np.savez(folder / "omniglot.npz", **omniglot_arrays(**changes))
    with pytest.raises(DataError, match=r"omniglot.npz: expected images28, character_global.*data fetch omniglot"):
        glyphs("omniglot", "test")


# real data


def real(name: str, split: str) -> Glyphs:
    given = os.environ.get(ENVIRONMENT)
    if not given or not (Path(given) / PREPARED[name]).is_file():
        pytest.skip(f"{ENVIRONMENT} has no {PREPARED[name]}")
    return glyphs(name, split)


def test_real_mnist():
    train, test = real("mnist", "train"), real("mnist", "test")
    assert torch.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert torch.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9] and test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    # the embedded digits have about MNIST's amount of ink
    assert abs(glyphs("digits").images.float().mean() / train.images.float().mean() - 1) < 0.2


def test_real_emnist_is_upright():
    letters = real("emnist", "test")
    assert len(letters.classes) == 47 and letters.labels.unique().tolist() == list(range(47))
    digits = real("mnist", "test")
    for digit in (2, 4, 7):
        theirs = letters.images[letters.labels == digit].float().mean(0)
        ours = digits.images[digits.labels == digit].float().mean(0)
        upright, lying = (torch.corrcoef(torch.stack([x.flatten(), ours.flatten()]))[0, 1] for x in (theirs, theirs.T))
        assert upright > lying + 0.1


@pytest.mark.parametrize(("name", "classes"), [("kmnist", 10), ("quickdraw", 17), ("omniglot", 1623)])
def test_other_real_sets(name, classes):
    train, test = real(name, "train"), real(name, "test")
    assert train.classes == test.classes and len(set(train.classes)) == classes
    for part in (train, test):
        assert part.images.shape == (len(part.labels), 28, 28)
        assert 10 < part.images.float().mean() < 100  # white ink on black
    if name == "omniglot":
        assert (len(train.labels), len(test.labels)) == (19280, 13180)
        assert train.labels.max() == 963 and test.labels.min() == 964
        assert test.classes[964] == "Angelic/character01"
