"""What moves in the page: sliders, pens, drawings that write themselves, and a sheet to draw on.

A slider that calls Python is dead on a page without a kernel. Sliders here hold every state that they can show, and the
pens and drawings are inked by the browser, so they work in the static page too; only the sheet needs a kernel.
Every widget has an id made from a name, so that running a notebook again changes nothing.
"""

from neurosym_lite.widgets.pens import pen_canvas
from neurosym_lite.widgets.readings import Reading, drawing_canvas
from neurosym_lite.widgets.sheet import sketch
from neurosym_lite.widgets.sliders import frame_slider, png

__all__ = ["Reading", "drawing_canvas", "frame_slider", "pen_canvas", "png", "sketch"]
