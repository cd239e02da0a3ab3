"""The spatial transformer as two matrix products.

An axis-aligned box moves rows and columns separately, so bilinear sampling factors: a glimpse G lands on the canvas
as A_y G A_x^T, and is cut out of an image X as B_y X B_x^T. The matrices hold hat weights max(0, 1 - |distance|), and
what falls outside the glimpse gets weight zero, so zero padding needs no special case. The result equals
`grid_sample(affine_grid(...), padding_mode="zeros", align_corners=False)` (Jaderberg et al. 2015, equations 3 and 5).

Coordinates: x right, y down; `render.axes` has the convention of each axis.
"""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from neurosym_lite.latents import Where
from neurosym_lite.render.axes import hat_weights, pixel_centres
from neurosym_lite.render.fused import PasteSum


def paste_matrix(
    scale: Float[Tensor, "*batch"], shift: Float[Tensor, "*batch"], glimpse: int, canvas: int
) -> Float[Tensor, "*batch canvas glimpse"]:
    """A: how much of each glimpse pixel lands on each canvas pixel, along one axis."""
    canvas_centres = pixel_centres(canvas, scale)
    return hat_weights((canvas_centres - shift[..., None]) / scale[..., None], glimpse)


def glimpse_matrix(
    scale: Float[Tensor, "*batch"], shift: Float[Tensor, "*batch"], glimpse: int, canvas: int
) -> Float[Tensor, "*batch glimpse canvas"]:
    """B: how much of each canvas pixel is read by each glimpse pixel, along one axis."""
    glimpse_centres = pixel_centres(glimpse, scale)
    return hat_weights(shift[..., None] + scale[..., None] * glimpse_centres, canvas)


def paste(
    glimpses: Float[Tensor, "*batch C h w"], where: Where, canvas: tuple[int, int]
) -> Float[Tensor, "*batch C H W"]:
    """Lay each glimpse into its box on an empty canvas of (H, W) pixels: A_y G A_x^T."""
    height, width = canvas
    rows = paste_matrix(where.scale[..., 1], where.shift[..., 1], glimpses.shape[-2], height)
    columns = paste_matrix(where.scale[..., 0], where.shift[..., 0], glimpses.shape[-1], width)
    return rows[..., None, :, :] @ glimpses @ columns[..., None, :, :].mT


def glimpse(images: Float[Tensor, "B C H W"], where: Where, size: tuple[int, int]) -> Float[Tensor, "B K C h w"]:
    """Cut K boxes out of each image and resample them to (h, w) pixels: B_y X B_x^T. `where` has axes (B K 2)."""
    height, width = size
    rows = glimpse_matrix(where.scale[..., 1], where.shift[..., 1], height, images.shape[-2])
    columns = glimpse_matrix(where.scale[..., 0], where.shift[..., 0], width, images.shape[-1])
    # one product an image for all K boxes: broadcasting over K would copy every image K times
    strips = rearrange(images, "B C H W -> B (C H) W") @ rearrange(columns, "B K w W -> B W (K w)")
    strips = rearrange(strips, "B (C H) (K w) -> B K C H w", C=images.shape[1], w=width)
    return rows[:, :, None] @ strips


def paste_sum(glimpses: Float[Tensor, "B K C h w"], where: Where, canvas: tuple[int, int]) -> Float[Tensor, "B C H W"]:
    """The sum over K of `paste`, without K canvases: all boxes of an image in one product.

    sum_k A_y,k S_k = [A_y,1 ... A_y,K] [S_1; ...; S_K] with strips S_k = G_k A_x,k^T, so the sum over boxes and the
    sum over glimpse rows are one and the same contraction. `render.fused` computes it and its gradient.
    """
    return PasteSum.apply(glimpses, where.scale, where.shift, *canvas)
