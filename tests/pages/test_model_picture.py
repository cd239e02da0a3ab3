"""The pictures of the models: every shape in them is the model's, none is typed, and no word lies on another."""

import re
from dataclasses import replace
from itertools import combinations

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image

from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_parts import Stroke
from neurosym_lite.models.gnm import GNM
from neurosym_lite.training.recipes import RECIPES
from scripts.pages import model_picture as picture
from scripts.pages.diagram import Diagram, figure_of
from scripts.toc import ROOT

CHAPTERS = {"gnm.png": "04_gnm.ipynb", "dood.png": "08_dood.ipynb"}
ALL = pytest.mark.parametrize("file", CHAPTERS)


def drawn(file: str, **changed: tuple[int, ...]) -> Diagram:
    model = picture.MODELS[file]
    return model.diagram(model.measured() | changed)


def words(diagram: Diagram) -> str:
    return "\n".join([box.text for box in diagram.boxes] + [arrow.label for arrow in diagram.arrows])


def text_of(file: str) -> str:
    return (ROOT / "notebooks" / CHAPTERS[file]).read_text(encoding="utf-8")


@ALL
def test_the_picture_in_the_book_is_drawn_from_the_model(file: str) -> None:
    with Image.open(picture.FOLDER / file) as stored:
        assert stored.info["Description"] == picture.all_of(drawn(file)), "run python -m scripts.pages.model_picture"


@ALL
def test_its_chapter_shows_it_and_builds_the_same_recipe(file: str) -> None:
    assert f"_static/models/{file}" in text_of(file) and f'\\"{picture.MODELS[file].recipe}\\"' in text_of(file)


@ALL
def test_every_shape_is_written_and_none_is_typed(file: str) -> None:
    shapes = picture.MODELS[file].measured()
    before = words(drawn(file))
    for name, shape in shapes.items():
        assert words(drawn(file, **{name: tuple(size + 1 for size in shape)})) != before, name
    sevens = drawn(file, **{name: (7,) * len(shape) for name, shape in shapes.items()})
    numbers = re.findall(r"\d+", words(sevens).replace("_{t-1}", ""))
    assert set(numbers) == {"7"}


def test_shapes_of_gnm_follow_its_configuration() -> None:
    small = replace(RECIPES["gnm-digits4-lite"].model, what=7, latent=5, draw_steps=3, structure=24, glimpse_size=12)
    shapes = picture.gnm_shapes(GNM(small))
    assert shapes == {
        "image": (64, 64), "cells": (16, 48), "proposed": (16, 6), "where": (16, 4), "crops": (16, 12, 12),
        "what": (16, 7), "rows": (16, 12), "z_g": (3, 5), "state": (16, 24), "f": (16, 24), "z_s": (16, 13),
        "placed": (16, 5), "glimpses": (16, 12, 12), "mean": (64, 64), "numbers": (1, 4, 1, 7),
    }  # fmt: skip


def test_shapes_of_dood_follow_its_configuration() -> None:
    small = replace(RECIPES["dood-digits-lite"].model, image_size=32, points=4, hidden=24, glimpse=12)
    shapes = picture.dood_shapes(DooD(small))
    assert shapes == {
        "page": (32, 32), "seen": (2, 32, 32), "code": (24,), "page_code": (24,), "h_l": (24,), "h_s": (24,),
        "where": (4,), "looks": (2, 12, 12), "page_look": (12, 12), "points": (4, 2), "pen": (2,), "ink": (32, 32),
        "after": (32, 32),
    }  # fmt: skip


def as_drawing(stroke: Stroke) -> Stroke:
    """One stroke as a drawing of one."""
    return Stroke(*(part[:, None] for part in stroke))


def test_bars_are_where_the_gradient_is_cut() -> None:
    """Three on ways out of the page, one before the reader's coin; the page that is laid over keeps its gradient."""
    model = RECIPES["dood-digits-lite"].build()
    image, blank = torch.rand(1, 1, 28, 28), model.begin(1, torch.zeros(1))
    page = torch.rand(1, 28, 28, requires_grad=True)
    stroke = model.read_stroke(image, blank._replace(canvas=page), mode=True)
    heads = (stroke.q_on, stroke.where, stroke.points, model.prior(as_drawing(stroke)).points.mean)
    assert all(torch.autograd.grad(head.sum(), page, retain_graph=True, allow_unused=True)[0] is None for head in heads)
    assert torch.autograd.grad(stroke.canvas.sum(), page, retain_graph=True)[0].abs().sum() > 0
    encoder = list(model.image_encoder.parameters())
    assert all(g is None for g in torch.autograd.grad(stroke.q_on.sum(), encoder, retain_graph=True, allow_unused=True))
    assert torch.autograd.grad(stroke.where.sum(), encoder)[0].abs().sum() > 0
    barred = [arrow for arrow in drawn("dood.png").arrows if arrow.bar_at is not None]
    assert len(barred) == 4 + 1  # and the key


@ALL
def test_no_word_lies_on_another_or_leaves_the_picture(file: str) -> None:
    diagram = drawn(file)
    figure = figure_of(diagram)
    figure.canvas.draw()
    (axes,) = figure.axes
    labels = [text for text in axes.texts if text.get_text()]
    spans = {text.get_text() + str(i): text.get_window_extent() for i, text in enumerate(labels)}
    boxes = [patch.get_window_extent() for patch in axes.patches[-len(diagram.boxes) :]]
    plt.close(figure)
    assert [pair for pair in combinations(spans, 2) if spans[pair[0]].overlaps(spans[pair[1]])] == []
    inside = [sum(box.overlaps(span) for box in boxes) for span in spans.values()]
    assert inside == [0] * (len(spans) - len(boxes)) + [1] * len(boxes)
    width, height = figure.bbox.size
    assert all(0 <= s.x0 and s.x1 <= width and 0 <= s.y0 and s.y1 <= height for s in spans.values())
