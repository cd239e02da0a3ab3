"""A sheet of paper in the page: what is drawn on it with mouse or finger reaches the kernel as a picture.

The browser inks the line with a round pen and writes the pixels into a text field that is not seen; the kernel watches
the field and answers with a picture. So a notebook needs no extension for it, but a running kernel: in a static page
the sheet stays silent.
"""

import base64
import html
import re
from collections.abc import Callable

import ipywidgets
import torch
from IPython.display import HTML
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from neurosym_lite.widgets.pens import filled
from neurosym_lite.widgets.sliders import named, png

SIDE = 28  # pixels of the picture that the kernel gets
ALT = "the answer to the drawing"
LEVELS = 255  # of grey; a pixel is two hexadecimal digits

SHEET = """<div data-sheet="NAME"
 style="max-width:18rem;padding:10px;border-radius:6px;background:#fff;color:#1a1a1a;color-scheme:light">
<canvas width="WIDE" height="WIDE" role="img" aria-label="a black sheet to draw a character on, in white"
 style="display:block;width:100%;aspect-ratio:1;background:#000;touch-action:none;cursor:crosshair"></canvas>
<div style="display:flex;gap:8px;align-items:center;margin-top:8px">
<button type="button" style="font:inherit;padding:1px 10px;border:1px solid #767676;border-radius:4px">clear</button>
<span>Draw here; the answer stands below.</span></div>
</div>
<script>(() => {
for (const root of document.querySelectorAll('[data-sheet="NAME"]:not([data-ready])')) {
  root.dataset.ready = 'yes';
  const canvas = root.querySelector('canvas'), context = canvas.getContext('2d', {willReadFrequently: true});
  const side = SIDE, zoom = canvas.width / side;
  let timer;
  function clear() {
    context.fillStyle = '#000';
    context.fillRect(0, 0, canvas.width, canvas.height);
    clearTimeout(timer);
  }
  function send() {  // the mean grey of each pixel, as two hexadecimal digits
    const ink = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = '';
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let v = 0; v < zoom; v++) for (let u = 0; u < zoom; u++)
        sum += ink[4 * ((y * zoom + v) * canvas.width + x * zoom + u)];
      text += Math.round(sum / (zoom * zoom)).toString(16).padStart(2, '0');
    }
    for (const field of document.querySelectorAll('.NAME textarea')) {
      field.value = text;
      for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, {bubbles: true}));
    }
  }
  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map(v => v * canvas.width / box.width);
  }
  function line(...points) {
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
  }
  let last;
  canvas.addEventListener('pointerdown', event => {
    clearTimeout(timer);  // the drawing goes on
    canvas.setPointerCapture(event.pointerId);
    Object.assign(context, {strokeStyle: '#fff', lineWidth: WIDTH * zoom, lineCap: 'round', lineJoin: 'round'});
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener('pointermove', event => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const next = place(event);
    line(last, next);
    last = next;
  });
  for (const kind of ['pointerup', 'pointercancel']) canvas.addEventListener(kind, () => {
    clearTimeout(timer);
    timer = setTimeout(send, 500);  // unless the next stroke follows at once
  });
  root.querySelector('button').addEventListener('click', clear);
  clear();
}
})();</script>"""


def picture_of(text: str) -> Float[Tensor, "28 28"]:
    """The pixels that the sheet sends, in [0, 1]. Raises ValueError for anything else."""
    if not re.fullmatch(rf"[0-9a-f]{{{2 * SIDE * SIDE}}}", text):
        raise ValueError(f"a sheet sends {2 * SIDE * SIDE} hexadecimal digits: got {len(text)} characters")
    return torch.tensor(list(bytes.fromhex(text)), dtype=torch.float).view(SIDE, SIDE) / LEVELS


def sketch(
    answer: Callable[[Float[Tensor, "28 28"]], Figure], name: str, width: float = 2.4
) -> tuple[HTML, ipywidgets.VBox]:
    """A sheet to draw on, and a box in which `answer` of the drawing stands; display both, the sheet first.

    `width` of the pen in pixels of the 28; `name` begins with a letter, has letters, digits and hyphens, and is unique
    in the notebook. A faulty `answer` shows its error in the box. Raises ValueError for another name.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise ValueError(f"a name of letters, digits and hyphens that begins with a letter is needed: got {name!r}")
    field = named(ipywidgets.Textarea, f"{name}-field", layout={"display": "none"})
    field.add_class(name)
    shown = named(ipywidgets.HTML, f"{name}-answer")

    def watch(change: dict) -> None:
        """Show the answer to what the browser has written into the field."""
        try:
            data = base64.b64encode(png(answer(picture_of(change["new"])))).decode()
            shown.value = f'<img src="data:image/png;base64,{data}" alt="{ALT}" style="max-width:100%"/>'
        except Exception as error:  # whatever the answer raises belongs on the page: nothing else would show it
            shown.value = html.escape(f"{type(error).__name__}: {error}")

    field.observe(watch, names="value")
    page = filled(SHEET, NAME=name, WIDE=10 * SIDE, SIDE=SIDE, WIDTH=f"{width:g}")
    return HTML(page), named(ipywidgets.VBox, f"{name}-box", children=[field, shown])
