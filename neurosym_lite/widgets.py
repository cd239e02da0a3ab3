"""Sliders, and a pen to play with, that work with a kernel and in the static page alike.

A slider that calls Python is dead on a page without a kernel. These hold every state they can show, and the browser
alone switches between them; the pen's canvas draws in the browser. Every widget has an id made from a name, so that
running a notebook again changes nothing.
"""

import base64
import html
import io
import json
import re
from collections.abc import Sequence

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import HTML
from ipywidgets.widgets.widget_link import Link
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from neurosym_lite.render import ink as pen

PEN_SIDE = 28  # pixels of the canvas that the browser draws on

# `render.ink.ink` in the browser; the points come in canvas coordinates, the ink goes out row by row.
PEN_INK = """
function penInk(points, radius, softness, side, pen) {
  const tau = Math.max(pen.tau, (radius + softness) / pen.reach);
  const at = points.map(p => p.map(v => (v + 1) * side / 2 - 0.5));
  const factor = (c, u) => Math.exp(Math.max(pen.faintest, -((c - u) ** 2) / (2 * tau * tau)));
  const sum = new Float64Array(side * side);
  for (let i = 0; i < pen.samples; i++) {
    const t = i / (pen.samples - 1);
    let level = at, legs = [[0, 0]];
    while (level.length > 1) {  // de Casteljau: the last leg is the velocity, up to the degree
      legs = level.slice(1).map((p, j) => [p[0] - level[j][0], p[1] - level[j][1]]);
      level = legs.map((leg, j) => [level[j][0] + t * leg[0], level[j][1] + t * leg[1]]);
    }
    const end = i === 0 || i === pen.samples - 1;
    const length = (at.length - 1) * Math.hypot(...legs[0]) / (pen.samples - 1) * (end ? 0.5 : 1);
    const mass = length / (tau * Math.sqrt(2 * Math.PI)) + (end ? 0.5 : 0);
    const kx = Array.from({length: side}, (_, u) => factor(level[0][0], u));
    for (let y = 0; y < side; y++) {
      const ky = mass * factor(level[0][1], y);
      for (let x = 0; x < side; x++) sum[y * side + x] += ky * kx[x];
    }
  }
  const edge = radius * radius, width = 2 * radius * softness;
  return Array.from(sum, s => 1 / (1 + Math.exp((-2 * tau * tau * Math.log(s) - edge) / width)));
}
"""

PEN_PAGE = """<div data-pen="NAME"
 style="max-width:26rem;padding:10px;border-radius:6px;background:#fff;color:#1a1a1a;color-scheme:light">
<div style="position:relative">
<canvas width="SIDE" height="SIDE" role="img" aria-label="LABEL"
 style="display:block;width:100%;aspect-ratio:1;image-rendering:pixelated;background:#000"></canvas>
<svg viewBox="-1 -1 2 2" style="position:absolute;inset:0;width:100%;height:100%;overflow:visible">
<polyline fill="none" stroke="#de8f05" stroke-width="0.012" stroke-dasharray="0.04 0.03"></polyline></svg>
</div>
<label style="display:flex;gap:8px;margin-top:8px"><span style="width:4rem">radius</span>
<input type="range" min="0.5" max="4" step="0.1" value="RADIUS" style="flex:1"><output></output></label>
<label style="display:flex;gap:8px"><span style="width:4rem">softness</span>
<input type="range" min="0.1" max="3" step="0.1" value="SOFTNESS" style="flex:1"><output></output></label>
</div>
"""

PEN_SCRIPT = """
for (const root of document.querySelectorAll('[data-pen="' + settings.name + '"]:not([data-ready])')) {
  root.dataset.ready = 'yes';
  const points = settings.points.map(p => [...p]), side = settings.side;
  const svg = root.querySelector('svg'), line = root.querySelector('polyline');
  const context = root.querySelector('canvas').getContext('2d'), picture = context.createImageData(side, side);
  const sliders = [...root.querySelectorAll('input')];
  const dots = points.map((_, index) => {
    const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
    const fixed = {r: 0.07, fill: '#0173b2', stroke: '#fff', 'stroke-width': 0.025, tabindex: 0, role: 'slider',
      'aria-label': 'control point ' + (index + 1) + ', moved by dragging or by arrow keys',
      'aria-valuemin': -1, 'aria-valuemax': 1, style: 'cursor:move;touch-action:none;outline:none !important'};
    for (const [key, value] of Object.entries(fixed)) dot.setAttribute(key, value);
    dot.addEventListener('focus', () => dot.setAttribute('stroke', '#de8f05'));  // a ring that says which one moves
    dot.addEventListener('blur', () => dot.setAttribute('stroke', '#fff'));
    return svg.appendChild(dot);
  });
  function draw() {
    const [radius, softness] = sliders.map(slider => Number(slider.value));
    penInk(points, radius, softness, side, settings.pen).forEach((v, i) => {
      picture.data.fill(255 * v, 4 * i, 4 * i + 3);
      picture.data[4 * i + 3] = 255;
    });
    context.putImageData(picture, 0, 0);
    line.setAttribute('points', points.map(p => p.join(',')).join(' '));
    dots.forEach((dot, i) => {
      const [x, y] = points[i];
      dot.setAttribute('cx', x);
      dot.setAttribute('cy', y);
      dot.setAttribute('aria-valuenow', x.toFixed(2));
      dot.setAttribute('aria-valuetext', 'x ' + x.toFixed(2) + ', y ' + y.toFixed(2));
    });
    for (const slider of sliders) slider.nextElementSibling.textContent = Number(slider.value).toFixed(1) + ' px';
  }
  function move(index, x, y) {
    points[index] = [x, y].map(v => Math.min(1, Math.max(-1, v)));
    draw();
  }
  dots.forEach((dot, i) => {
    dot.addEventListener('pointerdown', event => dot.setPointerCapture(event.pointerId));
    dot.addEventListener('pointermove', event => {
      if (!dot.hasPointerCapture(event.pointerId)) return;
      const box = svg.getBoundingClientRect();
      move(i, 2 * (event.clientX - box.left) / box.width - 1, 2 * (event.clientY - box.top) / box.height - 1);
    });
    dot.addEventListener('keydown', event => {
      const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
      if (!step) return;
      event.preventDefault();
      move(i, points[i][0] + step[0] / side, points[i][1] + step[1] / side);
    });
  });
  for (const slider of sliders) slider.addEventListener('input', draw);
  draw();
}
"""


def png(figure: Figure) -> bytes:
    """A figure as PNG bytes, the same bytes for the same figure; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def _named(kind: type, name: str, **settings: object) -> ipywidgets.Widget:
    """A widget, its layout and its style, all with ids made from a name."""
    settings["layout"] = ipywidgets.Layout(model_id=f"{name}-layout", **settings.pop("layout", {}))
    if "style" in kind.class_trait_names():
        style = kind.class_traits()["style"].klass
        settings["style"] = style(model_id=f"{name}-style", **settings.pop("style", {}))
    return kind(model_id=name, **settings)


def frame_slider(
    frames: Sequence[bytes | Figure], alts: Sequence[str], name: str, description: str, start: int = 0
) -> ipywidgets.VBox:
    """A slider over pictures: one frame a step, each with its alternative text.

    `name` must be unique in the notebook. Raises ValueError when frames and alternative texts do not pair up.
    """
    if len(frames) != len(alts) or not frames:
        raise ValueError(f"need one alternative text a frame: got {len(frames)} frames, {len(alts)} texts")
    pictures = []
    for index, (frame, alt) in enumerate(zip(frames, alts, strict=True)):
        data = base64.b64encode(png(frame) if isinstance(frame, Figure) else frame).decode()
        picture = f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" style="max-width:100%"/>'
        pictures.append(_named(ipywidgets.HTML, f"{name}-frame{index}", value=picture))
    slider = _named(
        ipywidgets.IntSlider,
        f"{name}-slider",
        value=start,
        min=0,
        max=len(frames) - 1,
        description=description,
        style={"description_width": "initial"},
        layout={"width": "90%"},
    )
    stack = _named(ipywidgets.Stack, f"{name}-stack", children=pictures, selected_index=start)
    Link(source=(slider, "value"), target=(stack, "selected_index"), model_id=f"{name}-link")
    return _named(ipywidgets.VBox, f"{name}-box", children=[slider, stack])


def pen_canvas(points: Float[Tensor, "P 2"], radius: float, softness: float, name: str) -> HTML:
    """A stroke whose control points can be dragged, or moved by arrow keys, with sliders for radius and softness.

    The ink is that of `render.ink.ink` on 28 by 28 pixels, computed in the browser: neither kernel nor network.
    `points` in canvas coordinates; `radius` (0.5 to 4) and `softness` (0.1 to 3) in pixels; `name` is made of letters,
    digits and hyphens, and unique on the page. Raises ValueError for another name.
    """
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"a name of letters, digits and hyphens is needed: got {name!r}")
    label = f"White ink of a Bezier stroke with {len(points)} control points on a black canvas"
    words = {"NAME": name, "SIDE": PEN_SIDE, "LABEL": label, "RADIUS": f"{radius:g}", "SOFTNESS": f"{softness:g}"}
    settings = {
        "name": name,
        "points": [[round(value, 3) for value in point] for point in points.tolist()],
        "side": PEN_SIDE,
        "pen": {"tau": pen.TAU, "reach": pen.REACH, "samples": pen.SAMPLES, "faintest": pen.FAINTEST},
    }
    page = re.sub("|".join(words), lambda word: str(words[word.group()]), PEN_PAGE)
    script = f"{PEN_INK}const settings = {json.dumps(settings)};{PEN_SCRIPT}"
    return HTML(f"{page}<script>(() => {{{script}}})();</script>")
