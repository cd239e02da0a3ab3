"""The classifier of characters: what it sees, and distances of samples that mean what they say."""

import json

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation.classifier import (
    FEATURES,
    PATH,
    Classifier,
    character_features,
    load_classifier,
    read_classifier,
)
from neurosym_lite.evaluation.drawing_samples import imagined, imagined_in_parts, sample_distances
from neurosym_lite.evaluation.frechet import frechet_distance
from neurosym_lite.training.checkpoints import CheckpointError, load_checkpoint, write_file


def digits(n: int, seed: int) -> Tensor:
    return DrawingSource("digits").batch(n, Generator().manual_seed(seed)).images.float() / 255


def test_the_shipped_one_is_small_and_has_its_record() -> None:
    record = json.loads(PATH.with_suffix(".json").read_text())
    classifier = load_classifier()
    assert PATH.stat().st_size < 2**19
    assert record["parameters"] == sum(weight.numel() for weight in classifier.parameters())
    assert classifier.scores.out_features == record["config"]["classes"]
    assert record["metrics"]["accuracy_mnist"] > 0.98 and min(record["metrics"].values()) > 0.6


def test_it_reads_digits_that_it_has_not_seen() -> None:
    """Embedded digits are none of the five sets, and blurred; a guess among MNIST's ten would be right in a tenth."""
    drawn = DrawingSource("digits").batch(300, Generator().manual_seed(0))
    scores = load_classifier()(drawn.images.float() / 255)[:, :10]
    assert float((scores.argmax(1) == drawn.labels).float().mean()) > 0.5


def test_features_are_those_below_the_scores() -> None:
    images, classifier = digits(3, 0), load_classifier()
    features = character_features(images)
    assert features.shape == (3, FEATURES)
    assert torch.allclose(classifier.scores(features), classifier(images), atol=1e-4)
    with pytest.raises(ValueError, match=r"\(1, 50, 50\): expected \(1, 28, 28\)"):
        character_features(torch.zeros(2, 1, 50, 50))


def test_another_file_is_refused(tmp_path) -> None:
    path = tmp_path / "other.safetensors"
    write_file(path, "parser", Classifier(5).state_dict(), classes=5)
    with pytest.raises(CheckpointError):
        read_classifier(path)
    for classes in (7, 0, "five"):
        write_file(path, "classifier", Classifier(5).state_dict(), classes=classes)
        with pytest.raises(CheckpointError):
            read_classifier(path)


def test_samples_are_the_same_for_the_same_seed_whatever_their_number() -> None:
    model, _ = load_checkpoint("dood-digits-lite")
    assert torch.equal(imagined(model, 20, 0), imagined(model, 20, 0))
    assert not torch.equal(imagined(model, 20, 0), imagined(model, 20, 1))
    assert not torch.equal(imagined(model, 20, 0), imagined(model, 20, 0, narrow=True))


def test_air_draws_as_many_parts_as_it_is_told() -> None:
    model, _ = load_checkpoint("air-mnist-lite")
    drawn = imagined_in_parts(model, torch.tensor([0, 1, 6]).repeat(20), 0).view(20, 3, -1).sum(2)
    assert (drawn[:, 0] == 0).all() and (drawn[:, 1] > 0).all() and drawn[:, 2].mean() > 2 * drawn[:, 1].mean()
    empty = (imagined(model, 200, 0).sum((1, 2, 3)) == 0).float().mean()
    assert 0.4 < empty < 0.6  # its own coin


@pytest.mark.parametrize(("name", "own"), [("dood-digits-lite", "narrow"), ("air-mnist-lite", "counted")])
def test_distances_have_a_floor(name: str, own: str) -> None:
    source = DrawingSource("digits")
    real, others = (source.batch(200, Generator().manual_seed(seed)) for seed in (1, 2))
    distances = sample_distances(load_checkpoint(name)[0], real, others, 0)
    assert distances.keys() == {"frechet_prior", "frechet_floor", f"frechet_{own}"}
    assert min(distances, key=distances.get) == "frechet_floor"
    features = [character_features(drawn.images.float() / 255) for drawn in (others, real)]
    assert distances["frechet_floor"] == pytest.approx(frechet_distance(*features))
