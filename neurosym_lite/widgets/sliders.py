"""Sliders over pictures: every state is in the page, and the browser alone switches between them."""

import base64
import html
import io
from collections.abc import Sequence

import ipywidgets
import matplotlib.pyplot as plt
from ipywidgets.widgets import widget
from ipywidgets.widgets.widget_link import Link
from matplotlib.figure import Figure


def png(figure: Figure) -> bytes:
    """A figure as PNG bytes, the same bytes for the same figure; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def close(*names: str) -> None:
    """Close the widgets that have these ids, if any: a cell that is run again makes them anew.

    One that is left to the garbage collector would close the channel of its successor, which has the same id.
    """
    for name in names:
        if (before := widget._instances.get(name)) is not None:
            before.close()


def named(kind: type, name: str, **settings: object) -> ipywidgets.Widget:
    """A widget, its layout and its style, all with ids made from a name; those that had the ids before are closed."""
    close(name, f"{name}-layout", f"{name}-style")
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
        pictures.append(named(ipywidgets.HTML, f"{name}-frame{index}", value=picture))
    slider = named(
        ipywidgets.IntSlider,
        f"{name}-slider",
        value=start,
        min=0,
        max=len(frames) - 1,
        description=description,
        style={"description_width": "initial"},
        layout={"width": "90%"},
    )
    stack = named(ipywidgets.Stack, f"{name}-stack", children=pictures, selected_index=start)
    close(f"{name}-link")
    Link(source=(slider, "value"), target=(stack, "selected_index"), model_id=f"{name}-link")
    return named(ipywidgets.VBox, f"{name}-box", children=[slider, stack])
