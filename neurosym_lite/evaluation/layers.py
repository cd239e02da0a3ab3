"""Do background and objects each explain their own part of a room? Held against the true masks and the empty room."""

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import ArrowRoomSource, ArrowScenes
from neurosym_lite.evaluation.free_rooms import FAR_AWAY
from neurosym_lite.models.gnm import GNM

BATCH = 100  # rooms at a time


def empty_room(size: int) -> Float[Tensor, "3 H W"]:
    """The room without its solids."""
    source = ArrowRoomSource(size)
    room = source.describe(1, Generator().manual_seed(0))
    return source.draw(room._replace(places=room.places + FAR_AWAY)).images[0].float() / 255


@torch.no_grad()
def split(model: GNM, images: Float[Tensor, "B 3 H W"]) -> tuple[Bool[Tensor, "B H W"], Float[Tensor, "B 3 H W"]]:
    """Which pixels the objects cover by more than half, and the background alone, from the posterior's mode."""
    seen = model.infer(images, mode=True)
    scene, _ = model.foreground(seen.objects.mode())
    return scene.coverage[:, 0] > 0.5, model.background(seen.background.mean)


def layer_metrics(model: GNM, scenes: ArrowScenes) -> dict[str, float]:
    """How the model parts rooms.

    - `layers_solids`, `layers_ground`: shares of the solids' pixels, and of the ground's, that objects cover
    - `layers_iou`: intersection over union of what objects cover with the solids
    - `layers_behind`: mean squared error, where solids stand, of the background alone against the empty room
    """
    parts = [split(model, images.float() / 255) for images in scenes.images.split(BATCH)]
    covered, behind = (torch.cat(column) for column in zip(*parts, strict=True))
    solid = scenes.masks >= 0
    error = (behind - empty_room(model.config.image_size)).square().mean(1)
    return {
        "layers_solids": float(covered[solid].float().mean()),
        "layers_ground": float(covered[~solid].float().mean()),
        "layers_iou": float((covered & solid).sum() / (covered | solid).sum()),
        "layers_behind": float(error[solid].mean()),
    }
