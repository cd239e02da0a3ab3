"""The Fréchet distance against scipy's matrix root and by hand; what it sees of scenes."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Generator

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.evaluation.frechet import frechet_distance, frechet_error, parser_features
from neurosym_lite.evaluation.parser import load_parser


def test_it_is_the_formula_with_scipys_root() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(60, 8) @ torch.randn(8, 8), torch.randn(50, 8) @ torch.randn(8, 8) + 1
    c1, c2 = np.cov(a.double().numpy().T), np.cov(b.double().numpy().T)
    gap = (a.double().mean(0) - b.double().mean(0)).numpy()
    expected = gap @ gap + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_of_two_lines_it_is_what_one_computes_by_hand() -> None:
    """In one dimension: (m1 - m2)^2 + (s1 - s2)^2."""
    first = torch.tensor([-1.0, 0.0, 1.0])[:, None]
    assert frechet_distance(first, 5 * first + 2) == pytest.approx(4 + 16)


def test_too_few_scenes_are_refused() -> None:
    with pytest.raises(ValueError, match="8 scenes for 8 features"):
        frechet_distance(torch.randn(8, 8), torch.randn(20, 8))
    with pytest.raises(ValueError, match="9 scenes for 8 features, and an error that leaves one in 20 out"):
        frechet_error(torch.randn(40, 8), torch.randn(9, 8))


@pytest.mark.parametrize("moved", [0.0, 0.5])
def test_the_error_is_how_far_the_distance_falls_from_crowd_to_crowd(moved: float) -> None:
    """Both crowds are drawn anew, a hundred times: the spread of the distance is what one pair of them says it is."""
    torch.manual_seed(0)
    crowds = [(torch.randn(200, 4) + moved, torch.randn(400, 4)) for _ in range(100)]
    spread = torch.tensor([frechet_distance(*pair) for pair in crowds]).std()
    said = torch.tensor([frechet_error(*pair) for pair in crowds]).median()
    assert 0.75 < said / spread < 1.33


def test_real_scenes_are_nearer_to_real_ones_than_dim_ones_are() -> None:
    parser, source = load_parser("digits"), SceneSource("mnist4", "digits", "test")
    real, others = (source.batch(200, Generator().manual_seed(seed)).images for seed in (0, 1))
    features = parser_features(parser, real)
    assert features.shape == (200, 128)
    floor = frechet_distance(features, parser_features(parser, others))
    dim = frechet_distance(features, parser_features(parser, others // 2))
    assert floor < 0.2 * dim


def test_features_are_means_over_the_canvas() -> None:
    parser, x = load_parser("digits"), SceneSource("mnist4").batch(3, Generator().manual_seed(0)).images
    with torch.no_grad():
        want = parser.trunk(x / 255).mean((2, 3))
    torch.testing.assert_close(parser_features(parser, x), want)


def test_both_crowds_share_the_error() -> None:
    a, b = (
        torch.randn(400, 2, generator=Generator().manual_seed(0)),
        3 + torch.randn(400, 2, generator=Generator().manual_seed(1)),
    )
    assert frechet_error(a, b) == pytest.approx(frechet_error(b, a))
