"""Draws a picture of each whole model in book/_static/models: `python -m scripts.pages.model_picture`, seconds.

`gnm.png`, chapter 4's, and `dood.png`, chapter 8's: what a model generates along solid arrows, what it reads along
dashed ones, and on each arrow the shape of what passes, of one image. Shapes come from calls of the parts of a
shipped recipe's model; a picture keeps what it is drawn from as its description, for a test to compare.
"""

import matplotlib

matplotlib.use("Agg")

import io
import json
from collections.abc import Callable
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from neurosym_lite.models.dood import DooD
from neurosym_lite.models.gnm import GNM
from neurosym_lite.render import frames, spatial
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.recipes import RECIPES
from scripts.pages.diagram import Arrow, Box, Diagram, figure_of, key, level, stub, upright
from scripts.toc import ROOT

FOLDER = ROOT / "book" / "_static" / "models"
PAIR = 0.06  # inches: half of what parts a solid and a dashed arrow

Shape = tuple[int, ...]


# the shapes, all of them


def of_one(value: Tensor) -> Shape:
    """The shape of the only image of a batch, without axes of length 1."""
    return tuple(size for size in value.shape[1:] if size > 1)


@torch.no_grad()
def gnm_shapes(model: GNM) -> dict[str, Shape]:
    """What passes along the arrows of GNM's picture, and `numbers`, those of each part of a symbol."""
    config = model.config
    image = torch.zeros(1, config.channels, config.image_size, config.image_size)
    cells = model.encoder(image).flatten(2).mT
    seen = model.infer(image, mode=True)
    draw = model.globals.infer(seen.features, mode=True)
    symbols = model.prior(draw).mode()
    pres, where, depth, what = (part.view(1, cells.shape[1], -1) for part in symbols)
    passing = {
        "image": image,
        "cells": cells,
        "proposed": torch.cat([pres, where, depth], dim=2),
        "where": seen.where,
        "crops": spatial.glimpse(image, model.boxes(seen.where), (config.glimpse_size,) * 2),
        "what": seen.objects.what.mean,
        "rows": seen.features,
        "z_g": draw.latent.view(1, config.draw_steps, -1),
        "state": model.globals.initial[:1],
        "f": draw.features,
        "z_s": torch.cat([pres, where, depth, what], dim=2),
        "placed": torch.cat([pres, where], dim=2),
        "glimpses": model.glimpse_decoder(symbols.what).colours,
        "mean": model.render(symbols),
    }
    numbers = tuple(part.shape[2] for part in (pres, where, depth, what))
    return {name: of_one(value) for name, value in passing.items()} | {"numbers": numbers}


@torch.no_grad()
def dood_shapes(model: DooD) -> dict[str, Shape]:
    """What passes along the arrows of DooD's picture."""
    picture = torch.zeros(1, 1, model.config.image_size, model.config.image_size)
    memory = model.begin(1, picture)
    page = model.guide(memory.canvas)
    seen = torch.cat([picture, picture - page], dim=1)
    stroke = model.read_stroke(picture, memory, mode=True)
    passing = {
        "page": page,
        "seen": seen,
        "code": model.image_encoder(seen),
        "page_code": model.canvas_encoder(page),
        "h_l": stroke.layout,
        "h_s": stroke.stroke,
        "where": stroke.where,
        "looks": frames.glimpse(seen, stroke.where, (model.config.glimpse,) * 2),
        "page_look": stroke.canvas_glimpse,
        "points": stroke.points,
        "pen": stroke.pen,
        "ink": model.draw(stroke.where, stroke.points, stroke.pen),
        "after": stroke.canvas,
    }
    return {name: of_one(value) for name, value in passing.items()}


def said(shape: Shape) -> str:
    """A shape as it is written in a picture."""
    text = " × ".join(map(str, shape))
    return text.replace(" × ", " ×\n", 1) if len(shape) > 2 else text


# the two models


def gnm_boxes(shapes: dict[str, Shape]) -> dict[str, Box]:
    """z_g above, symbols in the middle, pictures below."""
    cells, numbers = shapes["z_s"][0], " + ".join(map(str, shapes["numbers"]))
    read, cut, draw, top = 0.52, 1.8, 2.75, 2.5  # columns
    return {
        "prior": Box(top, 6.0, "StructDRAW\nprior", "draws", 1.0),
        "z_g": Box(1.57, 5.3, "$z_g$", "latent", 2.86, 0.32),
        "posterior": Box(0.64, 4.6, "StructDRAW\nposterior", "reads", 1.0),
        "decoder": Box(top, 4.6, "StructDRAW\ndecoder", "draws", 1.0),
        "prior heads": Box(top, 3.85, "prior heads", "draws", 1.0, 0.28),
        "z_s": Box(2.0, 3.15, f"$z_s$ = pres, where, depth, what\n{cells} cells × ({numbers})", "latent", 3.72, 0.46),
        "glimpse encoder": Box(cut, 2.3, "glimpse\nencoder", "reads", 0.76),
        "crop": Box(cut, 1.45, "crop at\nthe box", "reads", 0.76),
        "heads": Box(read, 1.45, "heads", "reads", 0.76, 0.28),
        "encoder": Box(read, 0.9, "encoder", "reads", 0.76, 0.28),
        "glimpse decoder": Box(draw, 2.3, "glimpse\ndecoder", "draws", 0.76),
        "paste": Box(3.1, 1.45, "paste", "draws", 1.2, 0.28),
        "x": Box(1.16, 0.3, "image $x$", "picture", 2.04),
        "mean": Box(3.1, 0.3, "mean of\n$p(x\\,|\\,z_s)$", "picture", 1.2),
    }


def gnm_arrows(b: dict[str, Box], shapes: dict[str, Shape]) -> list[Arrow]:
    """Down on the right it generates, up on the left it reads."""
    s = {name: said(shape) for name, shape in shapes.items()}
    again, by = 3.72, 3.45  # the way back to the prior; the way past the glimpse decoder
    back = (b["decoder"].side("right"), (again, b["decoder"].y), (again, b["prior"].y), b["prior"].side("right"))
    seen = f"pres, where,\ndepth\n{s['proposed']}"
    return [
        Arrow(upright(b["prior"], b["z_g"]), False, s["z_g"]),
        Arrow(upright(b["z_g"], b["decoder"]), False, s["z_g"]),
        Arrow(back, False, f"{s['state']}\n{shapes['z_g'][0]} times", "left", 0.72),
        Arrow(upright(b["decoder"], b["prior heads"]), False, f"$f$: {s['f']}"),
        Arrow(upright(b["prior heads"], b["z_s"]), False, s["z_s"]),
        Arrow(upright(b["z_s"], b["glimpse decoder"]), False, f"what\n{s['what']}"),
        Arrow(upright(b["glimpse decoder"], b["paste"]), False, s["glimpses"]),
        Arrow(upright(b["z_s"], b["paste"], by), False, f"pres,\nwhere\n{s['placed']}"),
        Arrow(upright(b["paste"], b["mean"]), False, s["mean"]),
        Arrow(upright(b["x"], b["encoder"]), True, s["image"]),
        Arrow(upright(b["encoder"], b["heads"]), True, s["cells"]),
        Arrow(upright(b["heads"], b["z_s"]), True, seen, label_at=0.6),
        Arrow(level(b["heads"], b["crop"]), True, f"where\n{s['where']}", "top"),
        Arrow(upright(b["x"], b["crop"]), True, s["image"]),
        Arrow(upright(b["crop"], b["glimpse encoder"]), True, s["crops"]),
        Arrow(upright(b["glimpse encoder"], b["z_s"]), True, f"what\n{s['what']}"),
        Arrow(upright(b["z_s"], b["posterior"]), True, f"pres, where, what\n{s['rows']}"),
        Arrow(level(b["decoder"], b["posterior"]), True, s["state"], "top"),
        Arrow(upright(b["posterior"], b["z_g"]), True, s["z_g"]),
    ]


def gnm_diagram(shapes: dict[str, Shape]) -> Diagram:
    """GNM."""
    boxes = gnm_boxes(shapes)
    return Diagram((4.0, 6.3), list(boxes.values()), [*gnm_arrows(boxes, shapes), *key(0.13, 6.05)])


def dood_boxes() -> dict[str, Box]:
    """One stroke, from the page before it down to the page after it; what only the reader sees is on the left."""
    read, chain, draw = 0.75, 2.0, 3.28  # columns
    return {
        "x": Box(read, 5.85, "picture $x$,\nresidual $\\Delta x_t$", "picture", 1.22),
        "page": Box(3.53, 5.85, "page $x_{<t}$", "picture", 1.3),
        "encoder": Box(read, 5.0, "encoder", "reads", 0.72, 0.28),
        "page encoder": Box(draw, 5.0, "encoder", "draws", 0.8, 0.28),
        "coin": Box(chain, 5.0, "$o_t$: go on\nor stop", "latent", 0.9),
        "where": Box(chain, 4.15, "$l_t$: where", "latent", 0.9, 0.36),
        "layout": Box(draw, 4.15, "memory $h^l_t$", "draws", 0.92, 0.32),
        "look": Box(chain, 3.3, "look through\nthe frame", "draws", 1.0),
        "curve": Box(chain, 2.35, "$s_t$: which\ncurve", "latent", 0.9),
        "stroke": Box(draw, 2.35, "memory $h^s_t$", "draws", 0.92, 0.32),
        "pen": Box(read, 1.52, "pen", "draws", 0.6, 0.28),
        "ink": Box(chain, 1.52, "place, ink", "draws", 0.9, 0.28),
        "lay": Box(chain, 0.9, "lay over", "draws", 0.9, 0.28),
        "after": Box(chain, 0.28, "page $x_{\\leq t}$", "picture", 0.98, 0.32),
    }


def dood_generating(b: dict[str, Box], s: dict[str, str]) -> list[Arrow]:
    """How a stroke is drawn; the reader goes along too, but looks for itself."""
    code, rail = 3.88, 4.1  # ways down on the right: of the page's code, of the page
    corner = (rail, b["look"].y)
    to_memory = (b["page encoder"].side("right"), (code, b["page encoder"].y), (code, b["stroke"].y))
    to_after = ((rail, b["page"].side("bottom")[1]), (rail, b["lay"].y), b["lay"].side("right"))
    after = b["after"].side("right")
    return [
        Arrow(upright(b["page"], b["page encoder"]), False, s["page"], bar_at=0.25),
        Arrow(level(b["page encoder"], b["coin"]), False, s["page_code"], "top"),
        Arrow(upright(b["page encoder"], b["layout"], b["page encoder"].x), False, s["page_code"]),
        Arrow(to_after, False, s["page"], "left", 0.87),
        Arrow((corner, b["look"].side("right")), False, s["page"], "top", 0.75, bar_at=0.5),
        Arrow((*to_memory, b["stroke"].side("right")), False, s["page_code"], "left", 0.79),
        Arrow(level(b["layout"], b["where"], b["where"].y + PAIR), False, s["h_l"], "top"),
        Arrow(level(b["stroke"], b["curve"], b["curve"].y + PAIR), False, s["h_s"], "top"),
        stub(b["layout"], "bottom", f"$l_{{t-1}}$: {s['where']}"),
        stub(b["stroke"], "bottom", f"$s_{{t-1}}$: {s['points']}"),
        Arrow(upright(b["where"], b["look"]), False, s["where"]),
        Arrow(upright(b["look"], b["curve"], b["curve"].x + 2 * PAIR), False, s["page_look"]),
        stub(b["curve"], "left", f"$l_t$: {s['where']}"),
        Arrow(upright(b["curve"], b["ink"]), False, s["points"]),
        stub(b["ink"], "right", f"$l_t$: {s['where']}"),
        Arrow(level(b["pen"], b["ink"]), False, s["pen"], "top"),
        Arrow(upright(b["ink"], b["lay"]), False, s["ink"]),
        Arrow(upright(b["lay"], b["after"]), False, s["after"]),
        Arrow((after, (after[0] + 0.4, after[1])), False, "next stroke", "right", 1),
    ]


def dood_reading(b: dict[str, Box], s: dict[str, str]) -> list[Arrow]:
    """What the reader's guesses see besides."""
    x, look, edge, high, low = b["x"], b["look"], 0.21, 0.1, -0.1
    to_look = ((edge, x.side("bottom")[1]), (edge, look.y + high), look.side("left", high))
    to_pen = (look.side("left", low), (b["pen"].x, look.y + low), b["pen"].side("top"))
    to_where = (b["encoder"].side("bottom"), (b["encoder"].x, b["where"].y), b["where"].side("left"))
    return [
        Arrow(level(b["page"], x), True, s["page"], "top", bar_at=0.25),
        Arrow(upright(x, b["encoder"]), True, s["seen"]),
        Arrow(level(b["encoder"], b["coin"]), True, s["code"], "top", 0.62, bar_at=0.22),
        Arrow(to_where, True, s["code"], "top"),
        Arrow(to_look, True, s["seen"], label_at=0.86),
        Arrow(level(b["layout"], b["where"], b["where"].y - PAIR), True),
        Arrow(upright(look, b["curve"], b["curve"].x - 2 * PAIR), True, s["looks"], "left"),
        Arrow(level(b["stroke"], b["curve"], b["curve"].y - PAIR), True),
        Arrow(to_pen, True, s["looks"], label_at=0.8),
    ]


def dood_diagram(shapes: dict[str, Shape]) -> Diagram:
    """DooD."""
    boxes, s = dood_boxes(), {name: said(shape) for name, shape in shapes.items()}
    arrows = [*dood_generating(boxes, s), *dood_reading(boxes, s), *key(0.13, 0.92, bar=True)]
    return Diagram((4.25, 6.15), list(boxes.values()), arrows)


# the pictures


class Model(NamedTuple):
    """Whose picture it is, and how it is made."""

    recipe: str
    shapes: Callable[[nn.Module], dict[str, Shape]]
    diagram: Callable[[dict[str, Shape]], Diagram]

    def measured(self) -> dict[str, Shape]:
        """The shapes of the recipe's model."""
        with torch.random.fork_rng(devices=[]):
            return self.shapes(RECIPES[self.recipe].build().eval())


MODELS = {
    "gnm.png": Model("gnm-digits4-lite", gnm_shapes, gnm_diagram),
    "dood.png": Model("dood-digits-lite", dood_shapes, dood_diagram),
}


def all_of(diagram: Diagram) -> str:
    """A picture in full: its boxes and its arrows, with their words, places and bars."""
    return json.dumps([diagram.boxes, diagram.arrows])


def png(diagram: Diagram) -> bytes:
    """A picture; what it is drawn from is kept in it as its description."""
    figure, buffer = figure_of(diagram), io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None, "Description": all_of(diagram)})
    plt.close(figure)
    return buffer.getvalue()


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for file, model in MODELS.items():
        write_atomically(FOLDER / file, png(model.diagram(model.measured())))
        print((FOLDER / file).relative_to(ROOT))
