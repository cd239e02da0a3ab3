"""Kinds of strokes: k-means and silhouette against what is computed by hand, and parts of trained models."""

import pytest
import torch
from torch import Generator, Tensor

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.evaluation import stroke_clusters
from neurosym_lite.evaluation.stroke_clusters import Parts, kinds, parts_of, plane
from neurosym_lite.evaluation.strokes import redraw
from neurosym_lite.training.checkpoints import load_checkpoint
from tests.evaluation.test_strokes import model as drawer


def blobs(sizes: tuple[int, ...], apart: float) -> Tensor:
    torch.manual_seed(0)
    return torch.cat([torch.randn(n, 3) + apart * torch.eye(3)[i] for i, n in enumerate(sizes)])


def test_far_blobs_are_found_the_largest_first() -> None:
    found = kinds(blobs((20, 50, 30), 20.0), number=3)
    assert found.labels.bincount().tolist() == [50, 30, 20] and found.silhouette > 0.8
    assert torch.allclose(found.centres, 20 * torch.eye(3)[[1, 2, 0]], atol=1)


def test_the_silhouette_is_the_formula() -> None:
    codes = blobs((6, 5), 4.0)
    found = kinds(codes, number=2)
    distance = torch.cdist(codes, codes)
    values = []
    for i, label in enumerate(found.labels.tolist()):
        own = (found.labels == label).nonzero()[:, 0]
        a = distance[i, own].sum() / (len(own) - 1)
        b = distance[i, found.labels != label].mean()
        values.append((b - a) / torch.maximum(a, b))
    assert found.silhouette == pytest.approx(float(torch.stack(values).mean()), abs=1e-5)


def test_too_few_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="8 parts for 8 clusters"):
        kinds(torch.randn(8, 3))


@pytest.mark.parametrize("name", ["dood-digits-lite", "air-mnist-lite"])
def test_parts_are_those_before_the_stop(name: str) -> None:
    model = load_checkpoint(name)[0]
    images = DrawingSource("digits", "test").batch(20, Generator().manual_seed(0)).images.float() / 255
    parts, drawn = parts_of(model, images), redraw(model, images)
    assert torch.equal(parts.image.bincount(minlength=20), drawn.parts) and parts.codes.shape[1] == 10
    assert (parts.step < drawn.parts[parts.image]).all()


def test_neighbours_stay_near_on_the_plane() -> None:
    places = plane(blobs((30, 30), 30.0))
    assert places.shape == (60, 2)
    middle = places.view(2, 30, 2).mean(1)
    assert (places[:30] - middle[0]).norm(dim=1).max() < (middle[0] - middle[1]).norm()


def test_shuffled_columns_have_no_kinds(monkeypatch) -> None:
    torch.manual_seed(0)
    codes = torch.cat([torch.randn(60, 4) + 30 * torch.randn(1, 4) for _ in range(8)])
    given = []
    monkeypatch.setattr(
        stroke_clusters,
        "parts_of",
        lambda model, images: given.append(images) or Parts(codes, torch.zeros(480).long(), torch.zeros(480).long()),
    )
    x = torch.arange(200, dtype=torch.uint8)[:, None, None, None].expand(200, 1, 28, 28)
    m = stroke_clusters.cluster_metrics(drawer(), x, 0)
    assert m["silhouette"] > 0.8 > m["silhouette_shuffled"] + 0.2
    order = (255 * given[0][:, 0, 0, 0]).round().long()
    assert sorted(order.tolist()) == list(range(200)) and order.tolist() != list(range(200))
