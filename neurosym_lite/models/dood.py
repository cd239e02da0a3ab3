"""Drawing out of Distribution (Liang et al. 2022): a prior that draws stroke by stroke, and a network that reads.

A drawing is T strokes in sequence. For each: go on? (o_t), where is its frame (z_where, the paper's l_t), what curve
is in it (the control points s_t, five in the frame's coordinates). The curve is placed, inked and laid over the
canvas; the next stroke sees that canvas (execution guidance). The recognition network sees what is left to draw.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Bernoulli, Gaussian, GaussianMixture
from neurosym_lite.latents import StrokeLatents
from neurosym_lite.layers import check_images
from neurosym_lite.models.dood_config import DooDConfig
from neurosym_lite.models.dood_parts import FULL_SPREAD, Drawing, Memory, Spread, Stroke, StrokePrior
from neurosym_lite.models.drawing import (
    STD_FLOOR,
    WHERE_START,
    Drawer,
    DrawingLoss,
    DrawingWeights,
    Encoder,
    between,
    head,
)
from neurosym_lite.models.stop import Prefixes
from neurosym_lite.render import frames
from neurosym_lite.render.ink import ink, ink_sum_max_tanh
from neurosym_lite.render.ink_compose import lay_over, lay_over_tanh

PRIOR_STD_FLOOR = 5e-3
PEN_DECAY = 0.01  # share of a batch in the running mean of the pen, which samples are drawn with
RASTER_START = -2.0  # of the neural decoder: a fresh one draws a tenth of full ink everywhere in its frame
WHERE, PEN = 4, 2  # numbers in z_where, and in a pen: radius and softness


class DooD(Drawer):
    """p(x, z) and q(z | x) of DooD: equations 1 to 5 and 6 to 8."""

    Config = DooDConfig

    def __init__(self, config: DooDConfig) -> None:
        super().__init__(config)
        c, width, numbers = config, config.hidden, 2 * config.points
        self.image_encoder = Encoder(2, c.image_size, c.filters, c.strides, width)
        self.glimpse_encoder = Encoder(2, c.glimpse, c.filters, c.strides, width)
        self.canvas_encoder = Encoder(1, c.image_size, c.canvas_filters, c.canvas_strides, width)
        self.canvas_glimpse_encoder = Encoder(1, c.glimpse, c.canvas_filters, c.canvas_strides, width)
        self.layout_memory = nn.GRUCell(width + WHERE, width)
        self.stroke_memory = nn.GRUCell(width + numbers, width)
        self.q_on = head(width + 1, width, 1, 0.01, (0.0,))
        self.q_where = head(2 * width + 1, width, 2 * WHERE, 0.01, WHERE_START)
        self.q_points = head(2 * width, width, 2 * numbers, 0.1)
        with torch.no_grad():
            self.q_points[-1].bias[numbers:] = -2.0
        if c.decoder == "spline":
            self.q_pen = head(width + 1, width, PEN, 0.01, (-0.5, 0.0))
        self.p_on = head(width, width, 1, 0.01, (0.0,))
        self.p_where = head(width, width, c.components * (2 * WHERE + 1))
        self.p_points = head(2 * width + WHERE, width, c.points * c.components * 5)
        self.baseline = head(2 * width + 1, width, 1)
        if c.decoder == "neural":
            self.raster = head(numbers, width, c.glimpse**2)
            nn.init.constant_(self.raster[-1].bias, RASTER_START)
        self.register_buffer("pen_range", torch.tensor([c.radius, c.softness]).T.contiguous(), persistent=False)
        self.register_buffer("pen", self.pen_range.mean(0))

    # what both directions share

    def begin(self, n: int, like: Tensor) -> Memory:
        """Nothing drawn yet, on n canvases."""
        side, width = self.config.image_size, self.config.hidden
        return Memory(
            like.new_zeros(n, side, side),
            like.new_zeros(n, width),
            like.new_zeros(n, width),
            like.new_zeros(n, WHERE),
            like.new_zeros(n, self.config.points, 2),
        )

    def guide(self, canvas: Float[Tensor, "B H W"]) -> Float[Tensor, "B 1 H W"]:
        """The canvas as the networks see it: without gradient, and black without execution guidance."""
        return canvas.detach()[:, None] * float(self.config.execution_guidance)

    def remember(self, memory: Memory, canvas_code: Float[Tensor, "B D"]) -> Memory:
        """Both networks take in the canvas and their own last latent."""
        layout = self.layout_memory(torch.cat([canvas_code, memory.where], dim=1), memory.layout)
        stroke = self.stroke_memory(torch.cat([canvas_code, memory.points.flatten(1)], dim=1), memory.stroke)
        return memory._replace(layout=layout, stroke=stroke)

    def draw(
        self, where: Float[Tensor, "B 4"], points: Float[Tensor, "B P 2"], pen: Float[Tensor, "B 2"]
    ) -> Float[Tensor, "B H W"]:
        """One stroke on a canvas of its own: the curve placed in its frame, and inked."""
        size = (self.config.image_size,) * 2
        if self.config.decoder == "neural":
            side = self.config.glimpse
            raster = self.raster(points.flatten(1)).sigmoid().view(-1, 1, side, side)
            return frames.paste(raster, where, size)[:, 0]
        pen_ink = ink if self.config.pen == "distance" else ink_sum_max_tanh
        return pen_ink(frames.place(points, where), pen[:, 0], pen[:, 1], size, self.config.samples)

    def lay(self, canvas: Float[Tensor, "B H W"], stroke: Float[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
        """The canvas with one more stroke."""
        if self.config.compositing == "soft-or":
            return lay_over(canvas, stroke)
        return lay_over_tanh(canvas, stroke, canvas.new_full(canvas.shape[:1], self.config.ink_slope))

    def render(self, latents: StrokeLatents, pen: Float[Tensor, "B T 2"]) -> Float[Tensor, "B stops H W"]:
        """The canvas after 0 ... T strokes; strokes with `on` 0 leave it as it is."""
        canvas = self.begin(len(latents.on), latents.on).canvas
        canvases = [canvas]
        for on, where, points, p in zip(*(part.unbind(1) for part in (*latents, pen)), strict=True):
            canvas = self.lay(canvas, on[:, None, None] * self.draw(where, points, p))
            canvases.append(canvas)
        return torch.stack(canvases, dim=1)

    # recognition

    def infer(self, images: Float[Tensor, "B 1 H W"], mode: bool = False) -> Drawing:
        """From images in [0, 1] read T strokes one after the other (equations 6 to 8).

        `mode` takes means where else it draws. Raises ValueError for images of another size.
        """
        check_images(images, 1, self.config.image_size)
        memory, strokes = self.begin(len(images), images), []
        for _ in range(self.config.strokes):
            stroke = self.read_stroke(images, memory, mode)
            strokes.append(stroke)
            memory = stroke.memory()
        read = Stroke(*(torch.stack(parts, dim=1) for parts in zip(*strokes, strict=True)))
        black = self.begin(len(images), images).canvas[:, None]
        on = (read.q_on > 0).to(images).cumprod(1)
        return Drawing(
            latents=StrokeLatents(on, read.where, read.points),
            pen=read.pen,
            canvases=torch.cat([black, read.canvas], dim=1),
            q_on=read.q_on,
            log_q=read.log_q,
            prior=self.prior(read),
            prediction=read.prediction,
        )

    def read_stroke(self, images: Float[Tensor, "B 1 H W"], memory: Memory, mode: bool) -> Stroke:
        """One step of the recognition network."""
        canvas = self.guide(memory.canvas)
        residual = images - canvas
        left = (residual.sum((1, 2, 3)) / images.sum((1, 2, 3)).clamp_min(1))[:, None]
        seen = torch.cat([images, residual], dim=1)
        code, canvas_code = self.image_encoder(seen), self.canvas_encoder(canvas)
        memory = self.remember(memory, canvas_code)
        # (equation 6 gives q_on the residual alone)
        q_on = self.q_on(torch.cat([code.detach(), left], dim=1))[:, 0]
        prediction = self.baseline(torch.cat([code, canvas_code, left], dim=1).detach())[:, 0]

        q_where = self.where_posterior(self.q_where(torch.cat([memory.layout, code, left], dim=1)))
        where = q_where.mean if mode else q_where.sample()
        side = (self.config.glimpse,) * 2
        glimpse_code = self.glimpse_encoder(frames.glimpse(seen, where, side))
        q_points = self.points_posterior(self.q_points(torch.cat([memory.stroke, glimpse_code], dim=1)))
        points = q_points.mean if mode else q_points.sample()
        log_q = q_where.log_prob(where).sum(1) + q_points.log_prob(points).sum((1, 2))

        pen = self.read_pen(torch.cat([glimpse_code, where[:, 2:3]], dim=1))
        after = self.lay(memory.canvas, self.draw(where, points, pen))
        return Stroke(
            q_on, where, points, log_q, pen, after, canvas_code,
            frames.glimpse(canvas, where.detach(), side), memory.layout, memory.stroke, prediction,
        )  # fmt: skip

    def read_pen(self, seen: Float[Tensor, "B E"]) -> Float[Tensor, "B 2"]:
        """Radius and softness of the pen; a raster has no use for them, and gets their middle."""
        if self.config.decoder == "neural":
            return self.pen_range.mean(0).expand(len(seen), PEN)
        return between(self.q_pen(seen), *self.pen_range)

    def points_posterior(self, raw: Float[Tensor, "B E"]) -> Gaussian:
        """q(points) (equation 8): the means within `reach` of the frame's middle, the stds below about 1."""
        mean, std = raw.view(len(raw), 2, self.config.points, 2).unbind(1)
        return Gaussian(between(mean, -self.config.reach, self.config.reach), std.sigmoid() + STD_FLOOR)

    # the prior

    def known(self, value: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """What the prior knows of the strokes before: nothing where it is independent of them."""
        return value * float(self.config.prior == "sequential")

    def prior(self, read: Stroke) -> StrokePrior:
        """p of strokes already drawn, all of them in one call (equations 2 to 4)."""
        on = self.p_on(self.known(read.canvas_code))[..., 0]
        glimpse_code = self.canvas_glimpse_encoder(read.canvas_glimpse.flatten(0, 1)).unflatten(0, on.shape)
        return StrokePrior(
            Bernoulli(on), self.layout_prior(read.layout), self.stroke_prior(read.stroke, glimpse_code, read.where)
        )

    def layout_prior(self, state: Float[Tensor, "*batch D"]) -> GaussianMixture:
        """p_layout(l_t | x_<t, h^l_t) (equation 2)."""
        raw = self.p_where(self.known(state)).unflatten(-1, (self.config.components, 2 * WHERE + 1))
        logits, mean, std = raw.split((1, WHERE, WHERE), dim=-1)
        return GaussianMixture(logits[..., 0], between(mean, *self.where_range), std.sigmoid() + PRIOR_STD_FLOOR)

    def stroke_prior(
        self,
        state: Float[Tensor, "*batch D"],
        glimpse_code: Float[Tensor, "*batch D"],
        where: Float[Tensor, "*batch 4"],
    ) -> GaussianMixture:
        """p_stroke(s_t | l_t, glimpse of x_<t, h^s_t), a mixture a control point (equation 3)."""
        raw = self.p_points(self.known(torch.cat([state, glimpse_code, where], dim=-1)))
        raw = raw.unflatten(-1, (self.config.points, self.config.components, 5))
        logits, mean, std = raw.split((1, 2, 2), dim=-1)
        reach = self.config.reach
        return GaussianMixture(logits[..., 0], between(mean, -reach, reach), std.sigmoid() + PRIOR_STD_FLOOR)

    @torch.no_grad()
    def draw_on(
        self, memory: Memory, pen: Float[Tensor, "B 2"], generator: Generator, spread: Spread
    ) -> tuple[Bernoulli, Memory]:
        """One more stroke from the prior: whether to go on at all, and what the memory is if so (section 2.1)."""
        canvas = self.guide(memory.canvas)
        code = self.canvas_encoder(canvas)
        memory = self.remember(memory, code)
        where = spread.of_layout(self.layout_prior(memory.layout)).sample(generator)
        glimpse = self.canvas_glimpse_encoder(frames.glimpse(canvas, where, (self.config.glimpse,) * 2))
        points = spread.of_points(self.stroke_prior(memory.stroke, glimpse, where)).sample(generator)
        after = self.lay(memory.canvas, self.draw(where, points, pen))
        return Bernoulli(self.p_on(self.known(code))[:, 0]), memory._replace(canvas=after, where=where, points=points)

    @torch.no_grad()
    def sample_drawings(
        self, n: int, generator: Generator, spread: Spread = FULL_SPREAD
    ) -> tuple[StrokeLatents, Float[Tensor, "n stops H W"]]:
        """n drawings from the prior: strokes and the canvas after each; the pen is the training's mean one.

        `spread` narrows the strokes' Gaussians, as the paper does for its figures (`PAPER_SPREAD`); the stop is drawn
        as it is.
        """
        pen = self.pen.expand(n, PEN)
        memory, on = self.begin(n, pen), pen.new_ones(n)
        canvases, drawn = [memory.canvas], []
        for _ in range(self.config.strokes):
            go_on, after = self.draw_on(memory, pen, generator, spread)
            on = on * go_on.sample(generator)
            kept = on[:, None, None] > 0
            memory = after._replace(canvas=torch.where(kept, after.canvas, memory.canvas))
            canvases.append(memory.canvas)
            drawn.append((on, after.where, after.points))
        latents = StrokeLatents(*(torch.stack(part, dim=1) for part in zip(*drawn, strict=True)))
        return latents, torch.stack(canvases, dim=1)

    def sample(self, n: int, generator: Generator) -> Float[Tensor, "n 1 H W"]:
        """n images from the prior."""
        return self.sample_drawings(n, generator)[1][:, -1:]

    # learning

    def loss(self, images: Float[Tensor, "B 1 H W"], weights: DrawingWeights) -> DrawingLoss:
        """-log p(x), bounded as `config.stop` says (equation 9 and section 2.3)."""
        drawing = self.infer(images)
        if self.training:
            self.remember_pen(drawing)
        return self.drawing_loss(images, drawing.canvases, self.prefixes(images, drawing), drawing.prediction, weights)

    @torch.no_grad()
    def remember_pen(self, drawing: Drawing) -> None:
        """Move the running mean of the pen towards this batch's, each stroke weighed by how surely it is drawn."""
        reached = drawing.q_on.sigmoid().cumprod(1)[..., None]
        mean = (reached * drawing.pen).sum((0, 1)) / reached.sum((0, 1)).clamp_min(1e-6)
        self.pen.lerp_(mean, PEN_DECAY)

    def prefixes(self, images: Float[Tensor, "B 1 H W"], drawing: Drawing) -> Prefixes:
        """What each place to stop is worth."""
        kl = drawing.log_q - drawing.prior.log_prob(drawing.latents.where, drawing.latents.points)
        likelihood = self.log_likelihood(images, drawing.canvases)
        return Prefixes(likelihood, kl, drawing.q_on, drawing.prior.on.logits)
