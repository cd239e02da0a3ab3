"""CLEVR's camera (Johnson et al. 2017): from points of a room to places on its picture, and back.

Lengths and axes are those of `solids.py`; places on the picture run from -1 to 1, x to the right, y down.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.render.axes import pixel_centres

# the camera looks at the origin of the ground; measured from CLEVR's pictures (35 mm lens, 32 mm sensor)
CAMERA_HEIGHT, PITCH, FIELD = 4.2, math.radians(28.0), math.radians(49.1)
EYE = (0.0, -CAMERA_HEIGHT / math.tan(PITCH), CAMERA_HEIGHT)
RIGHT, UP = (1.0, 0.0, 0.0), (0.0, math.sin(PITCH), math.cos(PITCH))
FORWARD = (0.0, math.cos(PITCH), -math.sin(PITCH))
SPAN = math.tan(FIELD / 2)  # half the picture's side at distance 1
HORIZON = 1e-3  # a ray that falls by less does not meet the ground


def project(points: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 2"]:
    """Points of the room on the picture, (x, y) in [-1, 1], y down."""
    way = points - points.new_tensor(EYE)
    depth = way @ way.new_tensor(FORWARD)
    return torch.stack([way @ way.new_tensor(RIGHT), -(way @ way.new_tensor(UP))], dim=-1) / (SPAN * depth[..., None])


def unproject(places: Float[Tensor, "*n 2"], height: Float[Tensor, "*n"]) -> Float[Tensor, "*n 2"]:
    """Where points at that height over the ground are, (x, y) in the room, from where they are on the picture."""
    way = places.new_tensor(FORWARD) + SPAN * (
        places[..., :1] * places.new_tensor(RIGHT) - places[..., 1:] * places.new_tensor(UP)
    )
    eye = places.new_tensor(EYE)
    return (eye + way * ((height - CAMERA_HEIGHT) / way[..., 2].clamp(max=-HORIZON))[..., None])[..., :2]


def view(size: int, like: Tensor) -> Float[Tensor, "P 3"]:
    """Directions of the rays through the size * size pixels, row by row."""
    across = pixel_centres(size, like)
    down, across = torch.meshgrid(across, across, indexing="ij")
    ways = like.new_tensor(FORWARD) + SPAN * (
        across[..., None] * like.new_tensor(RIGHT) - down[..., None] * like.new_tensor(UP)
    )
    return F.normalize(ways, dim=-1).flatten(0, 1)


def on_ground(origin: Float[Tensor, "*a 3"], direction: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Where rays that go down meet the ground."""
    return origin + direction * (origin[..., 2] / (-direction[..., 2]).clamp(min=HORIZON))[..., None]
