"""z_g, one Gaussian vector: KL, shapes, and randomness from the generator alone."""

import torch
import torch.nn.functional as F
from torch import Generator
from torch import distributions as td

from neurosym_lite.models.global_prior import GaussianGlobal


def small() -> GaussianGlobal:
    return GaussianGlobal(cells=4, inputs=7, features=6, latent=3, hidden=(16,))


def test_infer_reports_the_kl_to_the_unit_gaussian() -> None:
    model, seen = small(), torch.randn(5, 4, 7)
    draw, q = model.infer(seen), model.posterior(seen)
    unit = td.Normal(torch.zeros(5, 3), torch.ones(5, 3))
    torch.testing.assert_close(draw.kl, td.kl_divergence(td.Normal(*q), unit).sum(1))
    assert draw.latent.shape == (5, 3) and draw.features.shape == (5, 4, 6)
    assert torch.equal(model.infer(seen, mode=True).latent, q.mean)


def test_generate_is_a_function_of_the_generator() -> None:
    model = small()
    first, again = (model.generate(6, Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first.features, again.features) and (first.kl == 0).all()
    many = model.generate(20_000, Generator().manual_seed(0)).latent
    torch.testing.assert_close(many.mean(0), torch.zeros(3), atol=0.03, rtol=0)
    torch.testing.assert_close(many.std(0), torch.ones(3), atol=0.03, rtol=0)


def test_every_cell_sees_the_whole_latent() -> None:
    model = small()
    latent = torch.zeros(1, 3, requires_grad=True)
    features = model.structure(latent)
    for cell in range(4):
        (gradient,) = torch.autograd.grad(features[0, cell].square().sum(), latent, retain_graph=True)
        assert (gradient.abs() > 0).all()


def test_gaussian_global_infers_from_the_generator() -> None:
    model, seen = small(), torch.randn(5, 4, 7)
    assert torch.equal(*(model.infer(seen, generator=Generator().manual_seed(0)).latent for _ in range(2)))


def test_gaussian_globals_map_is_normed_after_celu() -> None:
    model = small()
    z = torch.randn(5, 3)
    torch.testing.assert_close(model.structure(z).flatten(1), F.layer_norm(F.celu(model.decoder[0](z)), (24,)))


def test_the_code_of_a_scene_teaches_what_it_sees() -> None:
    model, seen = small(), torch.randn(5, 4, 7, requires_grad=True)
    assert torch.autograd.grad(model.infer(seen, mode=True).latent.sum(), seen)[0].abs().max() > 0
