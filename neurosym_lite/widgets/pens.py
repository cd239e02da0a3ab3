"""Pens in the page: strokes that the browser inks, and whose control points are dragged or moved by arrow keys.

What every canvas with a pen shares, and the canvas of one stroke. It is a piece of HTML with its script in it: it asks
neither a kernel nor a network.
"""

import json
import re

from IPython.display import HTML
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.figures import PALETTE
from neurosym_lite.render import ink as pen

PEN_SIDE = 28  # pixels of the canvas that the browser draws on
COLOURS = tuple(PALETTE.as_hex())  # blue, orange, green, ... as the figures have them

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

# Three pieces of a script that has `svg`, a polyline `line`, `points`, `side` and a function `draw`. This one makes a
# handle for each point; SHAPE, FILL, RING and WHOSE are JavaScript: its element, its colours, the start of its name.
MAKE_HANDLES = """\
  const dots = points.map((_, index) => {
    const dot = document.createElementNS('http://www.w3.org/2000/svg', SHAPE);
    const fixed = {r: 0.07, fill: FILL, stroke: '#fff', 'stroke-width': 0.025, tabindex: 0, role: 'slider',
      'aria-label': WHOSE + (index + 1) + ', moved by dragging or by arrow keys',
      'aria-valuemin': -1, 'aria-valuemax': 1, style: 'cursor:move;touch-action:none;outline:none !important'};
    for (const [key, value] of Object.entries(fixed)) dot.setAttribute(key, value);
    dot.addEventListener('focus', () => dot.setAttribute('stroke', RING));  // a ring that says which one moves
    dot.addEventListener('blur', () => dot.setAttribute('stroke', '#fff'));
    return svg.appendChild(dot);
  });"""

# While drawing: the handles and the line through them go where the points are.
PLACE_HANDLES = """\
    line.setAttribute('points', points.map(p => p.join(',')).join(' '));
    dots.forEach((dot, i) => {
      const [x, y] = points[i];
      dot.setAttribute('cx', x);
      dot.setAttribute('cy', y);
      dot.setAttribute('aria-valuenow', x.toFixed(2));
      dot.setAttribute('aria-valuetext', 'x ' + x.toFixed(2) + ', y ' + y.toFixed(2));
    });"""

# A handle that is dragged, or moved by an arrow key, takes its point along, within the canvas.
MOVE_HANDLES = """\
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
  });"""

PEN_PAGE = """<div data-pen="NAME"
 style="max-width:26rem;padding:10px;border-radius:6px;background:#fff;color:#1a1a1a;color-scheme:light">
<noscript>This drawing moves with JavaScript alone.</noscript>
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
MAKE_HANDLES
  function draw() {
    const [radius, softness] = sliders.map(slider => Number(slider.value));
    penInk(points, radius, softness, side, settings.pen).forEach((v, i) => {
      picture.data.fill(255 * v, 4 * i, 4 * i + 3);
      picture.data[4 * i + 3] = 255;
    });
    context.putImageData(picture, 0, 0);
PLACE_HANDLES
    for (const slider of sliders) slider.nextElementSibling.textContent = Number(slider.value).toFixed(1) + ' px';
  }
MOVE_HANDLES
  for (const slider of sliders) slider.addEventListener('input', draw);
  draw();
}
"""


def filled(template: str, **words: object) -> str:
    """A template with its words in capitals replaced; a word with nothing to replace it stays."""
    return re.sub("|".join(words), lambda word: str(words[word.group()]), template)


def with_handles(script: str, shape: str, fill: str, ring: str, whose: str) -> str:
    """A script with the pieces for its handles; the arguments are JavaScript and may ask for the point's `index`."""
    make = filled(MAKE_HANDLES, SHAPE=shape, FILL=fill, RING=ring, WHOSE=whose)
    return filled(script, MAKE_HANDLES=make, PLACE_HANDLES=PLACE_HANDLES, MOVE_HANDLES=MOVE_HANDLES)


def rounded(points: Float[Tensor, "P 2"]) -> list[list[float]]:
    """Points for the page, to a thousandth: other machines, whose last bits differ, write the same page."""
    return [[round(value, 3) for value in point] for point in points.tolist()]


def pen_page(page: str, script: str, name: str, settings: dict[str, object]) -> HTML:
    """A page and its script, which finds `penInk` and, in `settings`, the name, the canvas and the pen's constants.

    Raises ValueError for a name that is not made of letters, digits and hyphens.
    """
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"a name of letters, digits and hyphens is needed: got {name!r}")
    constants = {"tau": pen.TAU, "reach": pen.REACH, "samples": pen.SAMPLES, "faintest": pen.FAINTEST}
    data = json.dumps({"name": name, **settings, "side": PEN_SIDE, "pen": constants}).replace("</", r"<\/")
    page = filled(page, NAME=name, SIDE=PEN_SIDE)
    return HTML(f"{page}<script>(() => {{{PEN_INK}const settings = {data};{script}}})();</script>")


def pen_canvas(points: Float[Tensor, "P 2"], radius: float, softness: float, name: str) -> HTML:
    """A stroke whose control points can be dragged, or moved by arrow keys, with sliders for radius and softness.

    The ink is that of `render.ink.ink` on 28 by 28 pixels, computed in the browser: neither kernel nor network.
    `points` in canvas coordinates; `radius` (0.5 to 4) and `softness` (0.1 to 3) in pixels; `name` is made of letters,
    digits and hyphens, and unique on the page. Raises ValueError for another name.
    """
    label = f"White ink of a Bezier stroke with {len(points)} control points on a black canvas"
    page = filled(PEN_PAGE, LABEL=label, RADIUS=f"{radius:g}", SOFTNESS=f"{softness:g}")
    blue, orange = (f"'{colour}'" for colour in COLOURS[:2])
    script = with_handles(PEN_SCRIPT, shape="'circle'", fill=blue, ring=orange, whose="'control point '")
    return pen_page(page, script, name, {"points": rounded(points)})
