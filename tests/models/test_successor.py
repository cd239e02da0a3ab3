"""The successor writes scenes down as tokens and draws them back; its reader is a trained GNM and stays as it is."""

from dataclasses import replace

import pytest
import torch
from torch import Generator

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.distributions import image_log_likelihood
from neurosym_lite.latents import Where
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.successor import BINS, CELL, KIND, PLACE, SIDES, STYLE, Successor, SuccessorConfig, _nearest
from neurosym_lite.render.compose import compose_sum
from neurosym_lite.render.spatial import glimpse
from neurosym_lite.training import codebooks
from neurosym_lite.training.checkpoints import load_checkpoint

READER = "gnm-digits4-lite"


@pytest.fixture(scope="module")
def successor() -> Successor:
    """On the shipped reader of the embedded digits, its codec untrained, its vocabulary fitted to a few scenes."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    gnm, recipe = load_checkpoint(READER)
    model = Successor(SuccessorConfig(recipe.model, kinds=12, styles=8, code=8))
    model.start_from(gnm)
    model.eval()  # torch's transformers round differently while they are trained
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codebooks, "CHUNKS", 4)
        codebooks.fit_codebooks(model, SceneSource("mnist4"), Generator().manual_seed(0))
    return model


def scenes(n: int = 20):
    return SceneSource("mnist4", split="test").batch(n, Generator().manual_seed(5))


def parts_with_gradient(model: Successor) -> set[str]:
    moved = [name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    return {name.split(".")[0] for name in moved}


def test_tokens_say_cells_and_boxes(successor: Successor) -> None:
    drawn = scenes()
    tokens = successor.infer(drawn.images.float() / 255)
    assert tokens.shape == (20, 4, 7)
    real = tokens[..., CELL] != 16
    assert real.float().mean() > 0.95
    cells = tokens[..., CELL].masked_fill(~real, 99)
    assert (cells.diff(dim=1) >= 0).all(), "in the order of the cells"
    centre = tokens[..., PLACE] + 0.5
    true = (drawn.boxes[..., :2] + drawn.boxes[..., 2:]) / 2
    nearest = (centre[:, :, None] - true[:, None]).norm(dim=-1).amin(2)
    assert nearest[real].median() < 1.5  # pixels
    side = (1 / 16 + 0.5 * (tokens[..., SIDES] + 0.5) / BINS) * 64
    assert 8 < side[real].mean() < 16
    assert tokens[..., KIND].max() < 12 and tokens[..., STYLE].max() < 8 and tokens.min() >= 0


def test_a_kind_is_what_the_scene_says_the_object_is(successor: Successor) -> None:
    """Kinds are of z_g, so they tell the class better than chance tells, though nobody named one."""
    drawn = scenes(200)
    tokens = successor.infer(drawn.images.float() / 255)
    centre = tokens[..., PLACE] + 0.5
    true = (drawn.boxes[..., :2] + drawn.boxes[..., 2:]) / 2
    which = (centre[:, :, None] - true[:, None]).norm(dim=-1).argmin(2)
    label, real = drawn.labels.gather(1, which), tokens[..., CELL] != 16
    table = torch.zeros(12, 10).index_put_(
        (tokens[..., KIND][real], label[real]), torch.ones(int(real.sum())), accumulate=True
    )
    assert table.amax(1).sum() / table.sum() > 0.85


def test_what_tokens_say_is_drawn(successor: Successor) -> None:
    tokens = successor.infer(scenes().images.float() / 255)
    picture = successor.render(tokens)
    assert picture.shape == (20, 1, 64, 64) and torch.equal(picture, successor.redraw(scenes().images.float() / 255))
    nobody = tokens.clone()
    nobody[..., CELL] = 16
    assert (successor.render(nobody) == 0).all()
    moved = tokens.clone()
    moved[..., PLACE] += 3
    assert (moved[..., PLACE] < BINS).all()
    shifted = successor.render(moved)
    assert torch.allclose(shifted[..., 3:, 3:], picture[..., :-3, :-3], atol=1e-4)


def test_each_stage_trains_its_part_and_the_reader_never(successor: Successor) -> None:
    model = Successor(successor.config)
    model.load_state_dict(successor.state_dict())
    weights = model.Weights()
    images = scenes(6).images.float() / 255
    model.symbol_loss(images, weights).total.sum().backward()
    learned = parts_with_gradient(model)
    assert learned == {"encoder", "decoder"}
    model.zero_grad()
    loss = model.prior_loss(model.infer(images), weights)
    loss.total.sum().backward()
    learned = parts_with_gradient(model)
    assert learned == {"prior"}
    torch.testing.assert_close(loss.total, loss.nats_cell + loss.nats_kind + loss.nats_box + loss.nats_style)
    both = model.loss(images, weights)
    torch.testing.assert_close(both.total, loss.total - both.log_likelihood)


def test_the_vocabulary_is_the_same_for_the_same_scenes(successor: Successor, monkeypatch) -> None:
    monkeypatch.setattr(codebooks, "CHUNKS", 4)
    kinds, styles = successor.kinds.clone(), successor.styles.clone()
    codebooks.fit_codebooks(successor, SceneSource("mnist4"), Generator().manual_seed(0))
    assert torch.equal(kinds, successor.kinds) and torch.equal(styles, successor.styles)
    assert kinds.std(0).mean() > 0.1 and (styles.abs() <= 1).all()


def test_samples_follow_the_seed(successor: Successor) -> None:
    first, again, other = (successor.sample(3, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.shape == (3, 1, 64, 64) and torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("change", [{"prior": "independent"}, {"rendering": "convex"}, {"channels": 3}])
def test_a_reader_without_what_it_takes_is_refused(successor: Successor, change: dict) -> None:
    with pytest.raises(ValueError, match="the successor reads ink on black by a z_g"):
        Successor(replace(successor.config, symbols=replace(successor.config.symbols, **change)))


@pytest.mark.parametrize("change", [{"latent": 8}, {"glimpse_window": 1.0}])
def test_a_reader_of_other_settings_is_refused_untouched(successor: Successor, change: dict) -> None:
    before = {name: tensor.clone() for name, tensor in successor.state_dict().items()}
    with pytest.raises(ValueError, match="the successor's reader has other settings"):
        successor.start_from(GNM(replace(successor.config.symbols, **change)))
    assert all(torch.equal(tensor, before[name]) for name, tensor in successor.state_dict().items())


def test_it_draws_in_double_precision(successor: Successor) -> None:
    model = Successor(successor.config)
    model.load_state_dict(successor.state_dict())
    tokens = successor.infer(scenes(3).images.float() / 255)
    drawn = model.double().render(tokens)
    assert drawn.dtype == torch.float64 == model.sample(1, Generator()).dtype
    torch.testing.assert_close(drawn.float(), successor.render(tokens))


def test_tokens_are_the_readers_answers_in_equal_parts(successor: Successor) -> None:
    """By hand: crops 1.2 boxes wide, places in 64 parts of the canvas, sides in 64 parts of 1/16 to 9/16 of it."""
    images, symbols = scenes(6).images.float() / 255, successor.symbols
    seen = symbols.infer(images, mode=True)
    box = symbols.boxes(seen.objects.where.mean)
    looks, present = successor.look(images), seen.objects.pres.probability > 0.5
    crops = glimpse(images, Where(1.2 * box.scale, box.shift), (16, 16))
    torch.testing.assert_close(looks.crops, crops)
    codes = successor.encode(crops)
    tokens = successor.infer(images)
    for image in range(6):
        told = [token for token in tokens[image].tolist() if token[CELL] != 16]
        cells = present[image].nonzero()[:, 0].tolist()[:4]
        assert [token[CELL] for token in told] == cells
        for token, cell in zip(told, cells, strict=True):
            scale, shift = box.scale[image, cell].tolist(), box.shift[image, cell].tolist()
            assert token[PLACE] == [int(64 * (value + 1) / 2) for value in shift]
            assert token[SIDES] == [int(64 * (value - 1 / 16) / (9 / 16 - 1 / 16)) for value in scale]
            distances = (successor.styles[token[KIND]] - codes[image, cell]).norm(dim=1)
            assert token[STYLE] == int(distances.argmin())


def test_a_side_is_drawn_as_wide_as_its_token_says(successor: Successor) -> None:
    """The widest box is 9/16 of the canvas, the narrowest 1/16, less and more half a part."""
    token = torch.zeros(1, 4, 7, dtype=torch.long)
    token[..., CELL] = 16
    token[0, 0] = torch.tensor([5, 0, 32, 32, 0, 0, 0])
    wide, narrow = token.clone(), token.clone()
    wide[0, 0, SIDES] = BINS - 1
    for tokens, side in ((wide, 9 / 16 - 1 / 256), (narrow, 1 / 16 + 1 / 256)):
        glimpses = successor.decode(successor.styles[:1, :1])
        middle = Where(torch.full((1, 1, 2), side), torch.full((1, 1, 2), 1 / 64))
        torch.testing.assert_close(
            successor.render(tokens), compose_sum(glimpses, torch.ones(1, 1), middle, (64, 64)), atol=1e-5, rtol=1e-4
        )


def test_of_too_many_objects_the_first_are_written_down(successor: Successor) -> None:
    few = Successor(replace(successor.config, most=2)).eval()
    few.load_state_dict(
        {name: tensor for name, tensor in successor.state_dict().items() if name != "prior.places"}, strict=False
    )
    images = scenes(6).images.float() / 255
    assert torch.equal(few.infer(images), successor.infer(images)[:, :2])


def test_after_its_objects_a_list_ends(successor: Successor) -> None:
    """On a black image the reader believes in one object at the most."""
    tokens = successor.infer(torch.zeros(2, 1, 64, 64))
    assert (tokens[:, 1:, CELL] == 16).all() and (tokens[:, 1:, 1:] == 0).all()


def test_each_kind_has_styles_of_its_own() -> None:
    codes, styles = torch.zeros(1, 3, 1), torch.tensor([[[0.0], [5.0]], [[9.0], [1.0]]])
    assert _nearest(codes, styles, torch.tensor([[0, 1, 0]])).tolist() == [[0, 1, 0]]


def test_a_fresh_codec_draws_dark(successor: Successor) -> None:
    assert Successor(successor.config).decode(torch.zeros(1, 1, 8)).mean() < 0.2


def test_losses_by_hand(successor: Successor) -> None:
    """The codec draws what is present, in its boxes, and nothing else; tokens cost what their weight says."""
    images = scenes(6).images.float() / 255
    looks = successor.look(images)
    present = looks.present.float()
    assert 0 < present.mean() < 1
    drawn = compose_sum(successor.decode(successor.encode(looks.crops)), present, looks.box, (64, 64))
    loss = successor.symbol_loss(images, successor.Weights())
    torch.testing.assert_close(loss.total, -image_log_likelihood(images, drawn, successor.config.sigma))
    tokens = successor.infer(images)
    nats, loss = successor.prior.nats(tokens), successor.prior_loss(tokens, successor.Weights(torch.tensor(3.0)))
    torch.testing.assert_close(loss.total, 3 * nats.sum(1))
    torch.testing.assert_close(loss.nats_box, nats[:, 2:6].sum(1))
