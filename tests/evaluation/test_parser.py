"""The parser reads what is there: structure-free scenes, held-out handwriting, and files only of its own kind."""

import json

import pytest
import torch
from torch import Generator, nn

from neurosym_lite.data import glyphs
from neurosym_lite.data.glyphs import core
from neurosym_lite.data.rules import validate
from neurosym_lite.data.scenes import ABSENT, SceneSource
from neurosym_lite.evaluation.free_scenes import CANVAS, CORE, PLAIN, FreeSceneConfig, FreeSceneSource
from neurosym_lite.evaluation.parser import PARSERS, Parser, load_parser, parser_path, read_parser, save_parser
from neurosym_lite.evaluation.parser_check import CORRUPTIONS, RULES, reading
from neurosym_lite.training.checkpoints import CheckpointError
from scripts.train_parser import train
from tests.evaluation.held_out import at, need

HANDWRITINGS = ("digits", "mnist")


# scenes without structure


def test_free_scenes_have_no_structure() -> None:
    scenes = FreeSceneSource(glyphs("digits")).batch(300, at())
    present = scenes.labels != ABSENT
    count = present.sum(1)
    assert count.min() >= 2 and count.max() == 11 and 5 < count.float().mean() < 7
    share = torch.bincount(scenes.labels[present], minlength=10) / present.sum()
    assert (share - 0.1).abs().max() < 0.04
    repeated = torch.tensor([len(set(row[row >= 0].tolist())) < (row >= 0).sum() for row in scenes.labels])
    assert repeated.float().mean() > 0.5
    centres = scenes.centres[present]
    assert centres.min() == CORE / 2 and centres.max() == CANVAS - CORE / 2
    quadrant = (centres >= CANVAS / 2).float().mean(0)
    assert (quadrant - 0.5).abs().max() < 0.05
    assert not validate("mnist4-10", scenes.labels, scenes.centres, CANVAS, 3.0).any()
    assert 0 <= scenes.images.min() and scenes.images.max() <= 1


def test_plain_free_scenes_do_not_overlap_and_hold_the_digits_themselves() -> None:
    bank = glyphs("digits", "test")
    config = FreeSceneConfig(**(vars(PLAIN) | {"least": 1, "most": 1}))
    scenes = FreeSceneSource(bank, config).batch(40, at(1))
    whole = torch.nn.functional.avg_pool2d(core(bank.images)[:, None].float() / 255, 2)[:, 0]
    for image, label, centre in zip(scenes.images, scenes.labels[:, 0], scenes.centres[:, 0], strict=True):
        if (centre % 1).any():
            continue  # between pixels: averaged over other squares
        x, y = (centre - CORE / 2).long().tolist()
        distance = (image[0, y : y + CORE, x : x + CORE] - whole).abs().amax((1, 2))
        assert distance.min() < 1e-5 and bank.labels[distance.argmin()] == label
        assert image.sum() == pytest.approx(float(image[0, y : y + CORE, x : x + CORE].sum()))
    scenes = FreeSceneSource(bank, PLAIN).batch(100, at(2))
    apart = (scenes.centres[:, :, None] - scenes.centres[:, None]).abs().amax(-1)
    both = (scenes.labels != ABSENT)[:, :, None] & (scenes.labels != ABSENT)[:, None] & ~torch.eye(11).bool()
    assert apart[both].min() >= CORE


def test_free_scenes_are_the_generators() -> None:
    source = FreeSceneSource(glyphs("digits"))
    assert torch.equal(source.batch(8, at(3)).images, source.batch(8, at(3)).images)
    assert not torch.equal(source.batch(8, at(3)).images, source.batch(8, at(4)).images)


# spoilt scenes


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_spoilt_scenes_break_the_rule_within_the_tolerance(rule: str, name: str) -> None:
    for canvas in (64, 128):
        generator = at(5)
        true = SceneSource(rule, "digits", "test", canvas).describe(500, generator)
        spoilt = CORRUPTIONS[name](true, canvas, generator)
        side = 10 * canvas // 64
        assert spoilt.corners.min() >= 0 and spoilt.corners.max() <= canvas - side
        kept = [
            validate(rule, layout.labels, layout.corners + side / 2, canvas, 3.0 * canvas / 64).float().mean()
            for layout in (true, spoilt)
        ]
        assert kept[0] == 1 and kept[1] <= (0.01 if name == "random_classes" else 0)


# the shipped parsers


@pytest.mark.parametrize("handwriting", [*HANDWRITINGS, "mnist-second"])
def test_shipped_parsers_are_small_and_have_their_records(handwriting: str) -> None:
    path = parser_path(handwriting)
    assert path.stat().st_size < 2**20
    record = json.loads(path.with_suffix(".json").read_text())
    assert (record["parser"], record["seed"]) == (("mnist", 1) if "second" in handwriting else (handwriting, 0))
    assert record["parameters"] == sum(weight.numel() for weight in load_parser(handwriting).parameters())
    assert all(value < 0.02 for name, value in record["metrics"].items() if name.startswith("false_accept"))


@pytest.mark.parametrize(("handwriting", "floor"), [("digits", 0.98), ("mnist", 0.985), ("mnist-second", 0.985)])
def test_held_out_digits_are_found_and_named(handwriting: str, floor: float) -> None:
    scenes = FreeSceneSource(glyphs(need(handwriting.removesuffix("-second")), "test"), PLAIN).batch(200, at(6))
    recall, precision, accuracy, error = reading(load_parser(handwriting), scenes)
    assert recall > 0.99 and precision > 0.99 and accuracy > floor and error < 0.7


def test_an_empty_scene_has_no_digit() -> None:
    parsed = load_parser("digits").parse(torch.zeros(2, 1, 64, 64))
    assert (parsed.labels == ABSENT).all() and (parsed.confidence == 0).all() and (parsed.centres == 0).all()


def test_two_digits_on_top_of_each_other_are_one() -> None:
    source = SceneSource("mnist1", "digits", "test")
    generator = at(7)
    first = source.describe(100, generator)
    corners = torch.cat([first.corners, (first.corners + 2).clamp(max=54)], dim=1)
    twice = first._replace(labels=first.labels.expand(-1, 2), corners=corners)
    parsed = load_parser("digits").parse(source.draw(twice, generator).images / 255)
    assert ((parsed.labels != ABSENT).sum(1) == 1).float().mean() > 0.9


def test_places_follow_the_digit() -> None:
    """A scene moved by whole cells of the detector is read the same, moved."""
    source = SceneSource("mnist1", "digits", "test")
    generator = at(8)
    layout = source.describe(60, generator)._replace(corners=torch.full((60, 1, 2), 21))
    image = source.draw(layout, generator).images / 255
    parser = load_parser("digits")
    here, there = parser.parse(image), parser.parse(image.roll((6, -4), (2, 3)))
    assert torch.equal(here.labels, there.labels)
    torch.testing.assert_close(here.centres[:, 0] + torch.tensor([-4.0, 6.0]), there.centres[:, 0], atol=1e-3, rtol=0)


def test_reading_is_the_same_twice_and_in_parts() -> None:
    images = FreeSceneSource(glyphs("digits", "test")).batch(130, at(9)).images
    parser = load_parser("digits")
    assert parser is load_parser("digits") and not parser.training
    whole, part = parser.parse(images), parser.parse(images[110:])
    assert torch.equal(whole.labels[110:], part.labels)
    torch.testing.assert_close(whole.centres[110:], part.centres)


# training and files


def test_training_repeats_to_the_bit_and_learns() -> None:
    (first, curve, _), (second, _, _) = (train("digits", 3, 4, report=2) for _ in range(2))
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert curve[-1]["classifier"] < curve[0]["classifier"]
    for name, weight in first.named_parameters():
        assert weight.grad is not None and torch.isfinite(weight.grad).all() and weight.grad.abs().sum() > 0, name


def test_a_saved_parser_is_read_back(tmp_path) -> None:
    parser = Parser().eval()
    path = tmp_path / "parser-digits.safetensors"
    save_parser(path, parser, "digits", 0, 0)
    again = read_parser(path)
    for mine, theirs in zip(parser.state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-3)


def test_what_is_not_a_parser_is_refused(tmp_path) -> None:
    with pytest.raises(CheckpointError, match=r"no parser reads 'kmnist'.*expected one of arrow-room, digits, mnist"):
        load_parser("kmnist")
    foreign = PARSERS.parent / "checkpoints" / "vae-digits1-lite.safetensors"
    with pytest.raises(CheckpointError, match="holds a checkpoint, expected a parser"):
        read_parser(foreign)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(parser_path("digits").read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="not a readable neurosym_lite parser"):
        read_parser(cut)


def test_confidence_is_among_the_ten_and_the_trunk_is_all_before_them() -> None:
    parser, x = load_parser("digits"), SceneSource("mnist4").batch(3, Generator().manual_seed(0)).images / 255
    read = parser.parse(x)
    scene, slot = (read.labels != ABSENT).nonzero(as_tuple=True)
    chances = parser.classify(x, scene, read.centres[scene, slot]).softmax(-1)
    torch.testing.assert_close(read.confidence[scene, slot], chances.amax(-1))
    before = next(i for i, layer in enumerate(parser.classifier) if isinstance(layer, nn.Flatten))
    with torch.no_grad():
        torch.testing.assert_close(parser.trunk(x), parser.classifier[:before](x))
