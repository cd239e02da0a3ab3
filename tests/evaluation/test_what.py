"""What z_what knows: codes that say a fact are read, codes that do not are not; objects get the nearest truth."""

import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from neurosym_lite.data.arrow_room import ArrowRoomSource
from neurosym_lite.data.scenes import ABSENT, Scenes, SceneSource
from neurosym_lite.distributions import Bernoulli, Gaussian
from neurosym_lite.evaluation.what import facts, object_codes, what_metrics
from neurosym_lite.models.gnm import GNM, Inference
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.symbols import ObjectDistribution
from neurosym_lite.training.checkpoints import load_checkpoint


class Oracle(GNM):
    """Sees the scenes of a source, in turn, as one object each, and may know its class."""

    def __init__(self, labels: torch.Tensor, knows: bool) -> None:
        super().__init__(GNMConfig(what=10))
        self.labels, self.knows, self.asked = labels, knows, 0

    def infer(self, images, mode: bool = False) -> Inference:
        n = len(images)
        rows = slice(self.asked, self.asked + n)
        self.asked += n
        logits = torch.full((n, 16), -5.0)
        logits[:, 0] = 5.0
        what = 0.1 * torch.randn(n, 16, 10)
        if self.knows:
            what[:, 0] += F.one_hot(self.labels[rows], 10)
        what, where = Gaussian(what, torch.ones_like(what)), Gaussian(torch.zeros(n, 16, 4), torch.ones(n, 16, 4))
        depth = Gaussian(where.mean[..., 0], where.std[..., 0])
        seen = ObjectDistribution(Bernoulli(logits), where, depth, what)
        return Inference(seen, where.mean, what.mean, Gaussian(what.mean[:, 0, :0], what.mean[:, 0, :0]))


@pytest.mark.parametrize("knows", [True, False])
def test_a_class_that_is_written_into_the_code_is_read_and_one_that_is_not_is_guessed(knows: bool) -> None:
    source = SceneSource("mnist1")
    train, test = (source.batch(n, Generator().manual_seed(n)) for n in (400, 200))
    labels = torch.cat([train.labels[:, 0], test.labels[:, 0]])  # the codes are read off both, in this order
    metrics = what_metrics(Oracle(labels, knows), train, test)
    assert set(metrics) == {"what_class", "what_class_neighbours"}
    for accuracy in metrics.values():
        assert accuracy > 0.95 if knows else accuracy < 0.3


def test_each_object_gets_the_facts_of_the_nearest_true_one() -> None:
    model, recipe = load_checkpoint("gnm-gaussian-digits4-lite")
    scenes = recipe.data.source("test").batch(20, Generator().manual_seed(0))
    codes = object_codes(model, scenes)
    assert codes.what.shape[1] == model.config.what and len(codes.what) == pytest.approx(80, abs=4)
    share = torch.bincount(codes.facts["class"], minlength=10) - torch.bincount(scenes.labels.flatten(), minlength=10)
    assert share.abs().sum() <= 4


def test_rooms_have_three_facts() -> None:
    rooms = ArrowRoomSource(16).batch(2, Generator().manual_seed(0))
    known = facts(rooms)
    assert set(known) == {"shape", "colour", "metal"} and all(fact.shape == (2, 4) for fact in known.values())


def test_a_model_that_finds_nothing_knows_nothing() -> None:
    model = GNM(GNMConfig()).eval()
    torch.nn.init.constant_(model.posterior_heads.pres.bias, -9.0)
    scenes = SceneSource("mnist4").batch(10, Generator().manual_seed(0))
    assert what_metrics(model, scenes, scenes) == {"what_class": 0.0, "what_class_neighbours": 0.0}


class Seer(GNM):
    """Sees one object, at the middle of its second cell, (24, 8) of 64 pixels."""

    def infer(self, images: torch.Tensor, mode: bool = False) -> Inference:
        seen = super().infer(images, mode)
        logits = torch.full((len(images), 16), -5.0)
        logits[:, 1] = 5.0
        where = seen.objects.where._replace(mean=torch.zeros(len(images), 16, 4))
        return seen._replace(objects=seen.objects._replace(pres=seen.objects.pres._replace(logits=logits), where=where))


def test_an_object_has_the_facts_of_the_true_one_that_is_there_and_nearest() -> None:
    corner = torch.tensor([[19.0, 3.0], [3.0, 19.0], [0.0, 0.0]])
    boxes = torch.cat([corner, corner + torch.tensor([[10.0], [10.0], [0.0]])], 1).expand(150, 3, 4)
    labels = torch.arange(150)[:, None] % 5 + torch.tensor([0, 5, 0])
    labels[:, 2] = ABSENT
    scenes = Scenes(torch.zeros(150, 1, 64, 64, dtype=torch.uint8), boxes, labels, labels != ABSENT)
    codes = object_codes(Seer(GNMConfig()).eval(), scenes)
    assert torch.equal(codes.facts["class"], torch.arange(150) % 5)
    far = scenes._replace(boxes=boxes.clone(), present=scenes.present.clone())
    far.present[:, 0] = False
    codes = object_codes(Seer(GNMConfig()).eval(), far)
    assert torch.equal(codes.facts["class"], torch.arange(150) % 5 + 5)  # an empty slot, however near, is no object
