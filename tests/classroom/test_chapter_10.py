"""Chapter 10's exercises: their solutions agree with the package, scikit-learn and PyTorch."""

import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import silhouette_samples

from neurosym_lite.classroom.chapter_10 import (
    BOTH_WAYS,
    DISTANCES,
    FRAMES,
    KINDS,
    MOVED_FRAME,
    NAMES,
    OPENNESS,
    SCORES,
    SILHOUETTE,
    TWO_CROWDS,
)
from neurosym_lite.evaluation.frechet import frechet_distance
from neurosym_lite.evaluation.one_shot import two_ways
from neurosym_lite.evaluation.stroke_fit import FitConfig

# wrong in a way that no catalogue lists, and an answer that cannot be used at all
UNLISTED = {
    "10.1": lambda distances, labels, i: torch.tensor(0.123),
    "10.2": 7.0,
    "10.3": lambda M, t, A, b: torch.zeros(2, 3),
    "10.4": lambda forward, backward, among, w: forward,
    "10.5": lambda names: torch.full((len(names),), 0.123),
}
UNUSABLE = {
    "10.1": lambda distances, labels: 0.5,
    "10.2": "five",
    "10.3": lambda M, t, A, b: (A @ M, A @ t + b),
    "10.4": 0.5,
    "10.5": "two bits",
}


def test_the_silhouette_is_scikit_learns() -> None:
    for labels in KINDS:
        theirs = silhouette_samples(DISTANCES.numpy(), labels.numpy(), metric="precomputed")
        for i in (labels.bincount()[labels] > 1).nonzero()[:, 0].tolist():  # alone of its kind: 0 by definition
            assert float(SILHOUETTE.solution(DISTANCES, labels, i)) == pytest.approx(theirs[i], abs=1e-6)


def test_two_crowds_on_a_line_have_the_packages_distance() -> None:
    first = torch.tensor([-1.0, 0.0, 1.0])[:, None]  # standard deviation 1
    assert frechet_distance(3 * first + 1, first + 2) == pytest.approx(TWO_CROWDS.solution)


def test_a_token_is_the_same_points_in_the_moved_frame() -> None:
    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    for M, t, A, b in FRAMES:
        moved = MOVED_FRAME.solution(M, t, A, b)
        torch.testing.assert_close(points @ moved[:, :2].T + moved[:, 2], (points @ M.T + t) @ A.T + b)


def test_both_ways_is_the_packages_at_temperature_one() -> None:
    forward, backward, among, w = SCORES[0]
    package = two_ways(forward, backward, among, FitConfig(temperature=1.0, back_share=w))
    torch.testing.assert_close(BOTH_WAYS.solution(forward, backward, among, w), package)


def test_openness_is_scipys_entropy_in_bits() -> None:
    expected = [entropy(row.bincount(minlength=10).numpy(), base=2) for row in NAMES]
    torch.testing.assert_close(OPENNESS.solution(NAMES), torch.tensor(expected), check_dtype=False)
