"""The bank of inferred scenes: what the model would say, and the same again for the same seed."""

import torch
from torch import Generator

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.training.bank import CHUNK, SymbolBank, flattened


def filled(recipe, seed: int = 0) -> SymbolBank:
    torch.manual_seed(3)
    model = recipe.build()
    return SymbolBank(model, SceneSource("mnist4", "digits", "train", 32), CHUNK + 1, Generator().manual_seed(seed))


def test_it_holds_what_the_model_infers_at_its_mode(recipe) -> None:
    bank = filled(recipe)
    torch.manual_seed(3)
    model = recipe.build()
    images = SceneSource("mnist4", "digits", "train", 32).batch(CHUNK, Generator().manual_seed(0)).images.float() / 255
    seen = model.infer(images, mode=True)
    assert torch.equal(bank.tensors[0][:CHUNK], seen.objects.pres.logits)
    for held, inferred in zip(bank.tensors, flattened(seen), strict=True):
        assert torch.equal(held[:CHUNK], inferred)
    assert len(bank.tensors[0]) == 2 * CHUNK
    drawn = bank.batch(5, Generator().manual_seed(1))
    rows = torch.randint(0, 2 * CHUNK, (5,), generator=Generator().manual_seed(1))
    torch.testing.assert_close(drawn.objects.what.std, bank.tensors[6][rows])
    torch.testing.assert_close(drawn.features, bank.tensors[8][rows])
    assert drawn.objects.depth.mean.shape == (5, 4) and drawn.background.mean.shape == (5, 0)


def test_the_same_seed_fills_it_alike(recipe) -> None:
    first, again, other = filled(recipe), filled(recipe), filled(recipe, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(first.tensors, again.tensors, strict=True))
    assert not torch.equal(first.tensors[8], other.tensors[8])
