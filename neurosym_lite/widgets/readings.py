"""An image read as a sequence of strokes, in the page: watch it being written, and drag the strokes.

A stroke that is partly drawn is the curve cut at that fraction of its parameter (de Casteljau), inked by the same pen.
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from IPython.display import HTML
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.evaluation.images import as_bytes
from neurosym_lite.render.ink_compose import OPACITY
from neurosym_lite.widgets.pens import COLOURS, PEN_SIDE, pen_page, rounded, with_handles

RING = COLOURS[8]  # yellow, around the handle that the keyboard moves: no stroke among the first eight has it
STROKE_MS = 800  # milliseconds that the pen takes for a stroke


class Reading(NamedTuple):
    """A written image and the strokes that a model reads in it, in the order of drawing, without those not drawn."""

    title: str
    """Few words, such as "a 3"."""
    written: Float[Tensor, "H W"]
    """The image, in [0, 1]."""
    points: Float[Tensor, "T P 2"]
    """Control points of the strokes in canvas coordinates."""
    radius: Float[Tensor, "T"]
    """Of the pen, pixels."""
    softness: Float[Tensor, "T"]
    """Of its edge, pixels."""


# The curve up to a fraction, and the ink of a drawing up to so many strokes: `render.ink_compose.soft_or` of `penInk`.
DRAWING_INK = """
function penCut(points, fraction) {  // de Casteljau: the first points of all levels are those of the first part
  const cut = [];
  for (let level = points; level.length; ) {
    cut.push(level[0]);
    level = level.slice(1).map((p, j) => p.map((v, axis) => level[j][axis] + fraction * (v - level[j][axis])));
  }
  return cut;
}
function drawingInk(strokes, progress, opacity, side, pen) {
  const paper = new Float64Array(side * side).fill(1);
  strokes.slice(0, Math.ceil(progress)).forEach((stroke, t) => {
    const points = penCut(stroke.points, Math.min(1, progress - t));
    penInk(points, stroke.radius, stroke.softness, side, pen).forEach((v, i) => { paper[i] *= 1 - opacity * v; });
  });
  return paper.map(v => 1 - v);
}
"""

DRAWING_PAGE = """<div data-pen="NAME"
 style="max-width:44rem;padding:10px;border-radius:6px;background:#fff;color:#1a1a1a;color-scheme:light">
<noscript>This drawing moves with JavaScript alone.</noscript>
<div style="display:flex;flex-wrap:wrap;gap:6px 16px;align-items:center;margin-bottom:8px">
<label>drawing <select style="font:inherit"></select></label>
<label>stroke to move <select style="font:inherit"></select></label>
<button type="button" style="font:inherit;padding:1px 10px;border:1px solid #767676;border-radius:4px">draw</button>
<button type="button" style="font:inherit;padding:1px 10px;border:1px solid #767676;border-radius:4px">as read</button>
</div>
<div style="display:flex;flex-wrap:wrap;gap:12px">
<div style="flex:1 1 15rem"><div></div>
<canvas width="SIDE" height="SIDE" role="img"
 style="display:block;width:100%;aspect-ratio:1;image-rendering:pixelated;background:#000"></canvas></div>
<div style="flex:1 1 15rem"><div></div>
<div style="position:relative">
<canvas width="SIDE" height="SIDE" role="img"
 style="display:block;width:100%;aspect-ratio:1;image-rendering:pixelated;background:#000"></canvas>
<svg viewBox="-1 -1 2 2" style="position:absolute;inset:0;width:100%;height:100%;overflow:visible">
<svg x="-1" y="-1" width="2" height="2" viewBox="-1 -1 2 2" aria-hidden="true"><g></g>
<circle r="0.04" stroke="#fff" stroke-width="0.02"></circle>
<polyline fill="none" stroke-width="0.012" stroke-dasharray="0.04 0.03"></polyline></svg></svg>
</div></div></div>
<label style="display:flex;gap:8px;margin-top:8px"><span>strokes drawn so far</span>
<input type="range" min="0" step="0.05" style="flex:1;min-width:0">
<output style="width:4.5em;text-align:right"></output></label>
</div>
"""

DRAWING_SCRIPT = """
for (const root of document.querySelectorAll('[data-pen="' + settings.name + '"]:not([data-ready])')) {
  root.dataset.ready = 'yes';
  const side = settings.side, svg = root.querySelector('svg'), line = root.querySelector('polyline');
  const [which, chosen] = root.querySelectorAll('select'), [play, reset] = root.querySelectorAll('button');
  const [written, drawn] = root.querySelectorAll('canvas'), tip = root.querySelector('circle');
  const marks = root.querySelector('g'), slider = root.querySelector('input'), output = root.querySelector('output');
  const colour = t => settings.colours[t % settings.colours.length];
  let strokes, progress, place, frame;
  function paint(canvas, ink) {
    const context = canvas.getContext('2d'), picture = context.createImageData(side, side);
    ink.forEach((v, i) => picture.data.set([255 * v, 255 * v, 255 * v, 255], 4 * i));
    context.putImageData(picture, 0, 0);
  }
  function name(canvas, below, text) {
    canvas.setAttribute('aria-label', below.previousElementSibling.textContent = text);
  }
  function list(select, texts) {
    select.replaceChildren(...texts.map((text, i) => new Option(text, i)));
    select.parentElement.hidden = texts.length < 2;
  }
  function mark(stroke, t) {  // the curve, and its number a little before its first point
    const [x, y] = stroke.points[0], [u, v] = stroke.points[1] || [x, y + 1], far = Math.hypot(u - x, v - y) || 1;
    const curve = Array.from({length: 41}, (_, i) => penCut(stroke.points, i / 40).pop());
    const at = [x - 0.19 * (u - x) / far, y - 0.19 * (v - y) / far].map(w => Math.max(-0.93, Math.min(0.93, w)));
    return `<g opacity="${progress > t ? 1 : 0.4}"><path fill="none" stroke="${colour(t)}" stroke-width="0.022"
      d="M${curve.join('L')}"></path><text x="${at[0]}" y="${at[1]}" fill="${colour(t)}" stroke="#fff"
      stroke-width="0.05" paint-order="stroke" font-size="0.15" font-weight="bold" text-anchor="middle"
      dominant-baseline="central">${t + 1}</text></g>`;
  }
  function draw() {
    paint(drawn, drawingInk(strokes, progress, settings.opacity, side, settings.pen));
    marks.innerHTML = strokes.map(mark).join('');
    const now = Math.floor(progress), [x, y] = penCut((strokes[now] || strokes[0]).points, progress - now).pop();
    for (const [key, value] of Object.entries({cx: x, cy: y, fill: colour(now)})) tip.setAttribute(key, value);
    tip.style.display = progress > now ? '' : 'none';
    output.textContent = progress.toFixed(2) + ' of ' + strokes.length;
    place();
  }
  function hold() {  // handles for the stroke to move: a square on its first point
    svg.querySelectorAll('[role=slider]').forEach(dot => dot.remove());
    const points = strokes[chosen.value].points;
MAKE_HANDLES
    const square = {x: -0.065, y: -0.065, width: 0.13, height: 0.13};
    for (const [key, value] of Object.entries(square)) dots[0].setAttribute(key, value);
    line.setAttribute('stroke', colour(chosen.value));
    place = () => {
PLACE_HANDLES
      dots.forEach((dot, i) => {  // the square has no centre to set; the handle of a point outside is at the edge
        const [x, y] = points[i], [u, v] = points[i].map(w => Math.max(-1, Math.min(1, w)));
        dot.setAttribute('transform', 'translate(' + (i ? [u - x, v - y] : [u, v]) + ')');
      });
    };
MOVE_HANDLES
    draw();
  }
  function show(value) {
    slider.value = progress = value;
    draw();
  }
  function read() {
    strokes = structuredClone(settings.drawings[which.value].strokes);
    hold();
  }
  function open() {
    cancelAnimationFrame(frame);
    const drawing = settings.drawings[which.value], count = drawing.strokes.length;
    list(chosen, drawing.strokes.map((_, t) => t + 1));
    slider.max = count;
    slider.value = progress = count;
    paint(written, Array.from(atob(drawing.written), byte => byte.charCodeAt(0) / 255));
    name(written, written, drawing.title + ', as written');
    name(drawn, svg.parentElement, drawing.title + ', drawn by ' + count + (count > 1 ? ' strokes' : ' stroke'));
    read();
  }
  play.addEventListener('click', () => {
    cancelAnimationFrame(frame);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return show(strokes.length);
    let start;
    const step = time => {
      start ??= time;
      show(Math.min(strokes.length, (time - start) / settings.ms));
      if (progress < strokes.length) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
  });
  slider.addEventListener('input', () => {
    cancelAnimationFrame(frame);
    show(Number(slider.value));
  });
  reset.addEventListener('click', read);
  chosen.addEventListener('change', hold);
  which.addEventListener('change', open);
  list(which, settings.drawings.map(drawing => drawing.title));
  open();
}
"""


def _checked(drawing: Reading) -> Reading:
    """The drawing, if its parts fit each other and the canvas; otherwise ValueError."""
    shapes = {part: tuple(getattr(drawing, part).shape) for part in ("written", "points", "radius", "softness")}
    strokes = shapes["radius"]
    fits = shapes["points"] == (*strokes, *shapes["points"][1:2], 2) and shapes["softness"] == strokes
    if not fits or len(strokes) != 1 or 0 in shapes["points"] or shapes["written"] != (PEN_SIDE, PEN_SIDE):
        raise ValueError(
            f"a drawing needs written ({PEN_SIDE}, {PEN_SIDE}), points (T, P, 2), radius (T,) and softness (T,) with "
            f"at least one stroke: got {shapes} for {drawing.title!r}"
        )
    return drawing


def _settings(drawing: Reading) -> dict[str, object]:
    pens = zip(drawing.points, drawing.radius.tolist(), drawing.softness.tolist(), strict=True)
    return {
        "title": drawing.title,
        "written": base64.b64encode(bytes(as_bytes(drawing.written).flatten().tolist())).decode(),
        "strokes": [{"points": rounded(p), "radius": round(r, 3), "softness": round(s, 3)} for p, r, s in pens],
    }


def drawing_canvas(drawings: Sequence[Reading], name: str) -> HTML:
    """Written images beside the strokes read in them: the pen draws them one after the other, and they can be dragged.

    Handles are those of one stroke at a time. The ink is that of `render.ink.ink` and `render.ink_compose.soft_or` on
    28 by 28 pixels, computed in the browser: neither kernel nor network. `name` is made of letters, digits and hyphens,
    and unique on the page. Raises ValueError for another name, no drawing, or a drawing whose parts do not fit.
    """
    if not drawings:
        raise ValueError("at least one drawing is needed: got none")
    script = with_handles(
        DRAWING_SCRIPT,
        shape="index ? 'circle' : 'rect'",
        fill="colour(chosen.value)",
        ring=f"'{RING}'",
        whose="'stroke ' + (Number(chosen.value) + 1) + ', control point '",
    )
    settings = {
        "drawings": [_settings(_checked(drawing)) for drawing in drawings],
        "colours": COLOURS,
        "opacity": OPACITY,
        "ms": STROKE_MS,
    }
    return pen_page(DRAWING_PAGE, DRAWING_INK + script, name, settings)
