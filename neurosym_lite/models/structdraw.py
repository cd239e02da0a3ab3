"""StructDRAW (GNM, section 3.2 and algorithm 1): a prior that draws a scene's structure, not its pixels.

The feature map f, from which the symbols are read, is drawn in L steps: f_l = f_{l-1} + CNN(h_dec,l). Each step has a
latent z_l of its own; z_g = (z_1, ..., z_L). The prior of z_l sees what was drawn so far (h_dec,l-1); its posterior
also sees the image. The number of steps has nothing to do with the number of objects: a step may touch every cell.

Where the paper's algorithm and its text disagree the text holds: the decoder also sees f_{l-1}, and the initial
states are learned, so the prior of z_1 is a learned Gaussian, not N(0, I).
"""

from typing import Literal, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Gaussian, GaussianMixture, gaussian_head, kl_gaussian
from neurosym_lite.layers import CellConv, ConvLSTMCell, LSTMState, mlp
from neurosym_lite.models.global_prior import GlobalDraw

Interaction = Literal["mlp", "none", "transformer"]
ATTENTION_HEADS, ATTENTION_LAYERS = 4, 2  # of the transformers over cells
POSITION_STD = 0.3  # of the learned position vectors at the start
MEAN_SPREAD = 1.0  # std of a mixture's means at the start: components that start alike stay alike


class DrawStep(NamedTuple):
    """One step of the drawing. With interaction "none" the latent is a map, flattened."""

    prior: Gaussian | GaussianMixture
    """p(z_l | z_<l)."""
    posterior: Gaussian | None
    """q(z_l | z_<l, x); None where nothing is seen."""
    latent: Float[Tensor, "B Z"]
    """z_l."""
    features: Float[Tensor, "B K F"]
    """f_l, all that was drawn up to this step."""


class CellTransformer(nn.Module):
    """Every cell attends to every cell (Vaswani et al. 2017), with a learned vector for its place."""

    def __init__(self, cells: int, width: int) -> None:
        """Raises ValueError for a width that cannot be shared out among the heads."""
        super().__init__()
        if width % ATTENTION_HEADS:
            raise ValueError(f"a transformer over cells of width {width}: make it a multiple of {ATTENTION_HEADS}")
        layer = nn.TransformerEncoderLayer(
            width, ATTENTION_HEADS, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.places = nn.Parameter(POSITION_STD * torch.randn(cells, width))
        self.layers = nn.TransformerEncoder(layer, ATTENTION_LAYERS, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, cells: Float[Tensor, "B K F"]) -> Float[Tensor, "B K F"]:
        """The map after every cell has seen all others."""
        return self.norm(self.layers(cells + self.places))


class ReadOut(nn.Module):
    """A transformer over the cells and one more token, whose final state says the output."""

    def __init__(self, cells: int, width: int, outputs: int) -> None:
        super().__init__()
        self.transformer, self.output = CellTransformer(cells + 1, width), nn.Linear(width, outputs)

    def forward(self, cells: Float[Tensor, "B K F"]) -> Float[Tensor, "B E"]:
        """The read-out of all cells."""
        blank = cells.new_zeros(len(cells), 1, cells.shape[2])
        return self.output(self.transformer(torch.cat([cells, blank], dim=1))[:, -1])


def interaction_layer(kind: Interaction, cells: int, width: int, hidden: tuple[int, ...], outputs: int) -> nn.Module:
    """From a map (B, K, F) to the parameters of a latent: (B, outputs), or (B, K, outputs) with "none".

    `mlp` (the paper's): a multilayer perceptron on the flattened map, every cell meets every other. `transformer`
    (suggested in section 3.2): attention between cells. `none` (GNM-NoMLP): two 3x3 convolutions, cells meet their
    neighbours only.
    """
    if kind == "mlp":
        return nn.Sequential(nn.Flatten(1), mlp(cells * width, hidden, outputs))
    if kind == "transformer":
        return ReadOut(cells, width, outputs)
    first = hidden[0]
    return nn.Sequential(CellConv(width, first, 3), nn.CELU(), nn.LayerNorm(first), CellConv(first, outputs, 3))


def _spread_means(net: nn.Module, components: int, latent: int) -> None:
    """Start a mixture's components apart: with the same mean they would get the same gradient and stay one."""
    last = [layer for layer in net.modules() if isinstance(layer, nn.Linear)][-1]
    nn.init.normal_(last.bias[components : components * (1 + latent)], std=MEAN_SPREAD)


class StructDraw(nn.Module):
    """Algorithm 1: prior, posterior and the map they draw."""

    def __init__(
        self,
        cells: int,
        inputs: int,
        features: int,
        latent: int,
        steps: int,
        hidden: tuple[int, ...],
        draw_hidden: tuple[int, ...],
        *,
        interaction: Interaction = "mlp",
        embed: Literal["linear", "transformer"] = "linear",
        components: int = 1,
        out_kernel: int = 3,
        lstm_kernel: int = 1,
    ) -> None:
        """`inputs` is the width of a cell of what is seen, `features` F that of the map drawn, `latent` Z that of z_l.

        `hidden` are the widths of the interaction layers, `draw_hidden` those of the decoder of z_l; `components` > 1
        makes each prior a mixture of Gaussians; `out_kernel` is that of the convolution that adds to f, `lstm_kernel`
        that of the two LSTM cells (1 in GNM's code, 3 in table 9). What is seen is used as it is where it is as wide
        as the map, else embedded. Raises ValueError for a mixture without an interaction layer.
        """
        super().__init__()
        if components > 1 and interaction == "none":
            raise ValueError("a mixture over a map of latents is not defined: set prior_components=1 or interaction")
        self.cells, self.features, self.steps, self.components = cells, features, steps, components
        self.width, self.is_map = latent, interaction == "none"
        self.embed = _embedding(embed, cells, inputs, features)
        self.initial = nn.Parameter(torch.zeros(4, cells, features))  # h and c of the encoder, then of the decoder
        self.encoder = ConvLSTMCell(3 * features, features, lstm_kernel)
        self.decoder = ConvLSTMCell((latent if self.is_map else features) + features, features, lstm_kernel)
        prior_outputs = 2 * latent if components == 1 else components * (1 + 2 * latent)
        self.prior_net = interaction_layer(interaction, cells, features, hidden, prior_outputs)
        self.posterior_net = interaction_layer(interaction, cells, features, hidden, 2 * latent)
        if components > 1:
            _spread_means(self.prior_net, components, latent)
        if not self.is_map:
            wide = cells * features
            self.draw = nn.Sequential(mlp(latent, draw_hidden, wide), nn.CELU(), nn.LayerNorm(wide))
        self.add = CellConv(features, features, out_kernel)

    def prior(self, hidden: Float[Tensor, "B K F"]) -> Gaussian | GaussianMixture:
        """p(z_l | z_<l), from the decoder's state after step l - 1."""
        parameters = self.prior_net(hidden).flatten(1) if not self.is_map else self.prior_net(hidden)
        if self.components == 1:
            return self._flat(gaussian_head(parameters))
        logits, parts = parameters.split([self.components, 2 * self.components * self.width], dim=1)
        means, stds = gaussian_head(parts)
        shape = (-1, self.components, self.width)
        return GaussianMixture(logits, means.reshape(shape), stds.reshape(shape))

    def posterior(self, hidden: Float[Tensor, "B K F"]) -> Gaussian:
        """q(z_l | z_<l, x), from the encoder's state of step l."""
        return self._flat(gaussian_head(self.posterior_net(hidden)))

    def _flat(self, gaussian: Gaussian) -> Gaussian:
        """A map of latents as one vector."""
        return Gaussian(gaussian.mean.flatten(1), gaussian.std.flatten(1))

    def sketch(self, latent: Float[Tensor, "B Z"]) -> Float[Tensor, "B K E"]:
        """MLP_dec^g: z_l as a map that the decoder reads (with interaction "none" it is one already)."""
        if self.is_map:
            return rearrange(latent, "B (K Z) -> B K Z", K=self.cells)
        return rearrange(self.draw(latent), "B (K F) -> B K F", K=self.cells)

    def run(
        self,
        seen: Float[Tensor, "B K E"] | None,
        n: int,
        mode: bool = False,
        generator: Generator | None = None,
    ) -> list[DrawStep]:
        """All L steps for n scenes: from what was `seen`, or from the prior where that is None.

        With `mode` the posterior's means are taken instead of samples.
        """
        target = self.embed(seen) if seen is not None else None
        h_enc, c_enc, h_dec, c_dec = self.initial[:, None].expand(-1, n, -1, -1)
        encoder, decoder = LSTMState(h_enc, c_enc), LSTMState(h_dec, c_dec)
        drawn = torch.zeros_like(h_dec)
        steps = []
        for _ in range(self.steps):
            prior, posterior = self.prior(decoder.hidden), None
            if target is not None:
                encoder = self.encoder(torch.cat([target, target - drawn, decoder.hidden], dim=-1), encoder)
                posterior = self.posterior(encoder.hidden)
            source = prior if posterior is None else posterior
            latent = source.mean if mode and posterior is not None else source.sample(generator)
            decoder = self.decoder(torch.cat([self.sketch(latent), drawn], dim=-1), decoder)
            drawn = drawn + self.add(decoder.hidden)
            steps.append(DrawStep(prior, posterior, latent, drawn))
        return steps

    def infer(
        self, inputs: Float[Tensor, "B K E"], mode: bool = False, generator: Generator | None = None
    ) -> GlobalDraw:
        """Draw z_g from q(z_g | x) (its means with `mode`), and the map that it says."""
        steps = self.run(inputs, len(inputs), mode, generator)
        return GlobalDraw(_joined(steps), steps[-1].features, sum(step_kl(step) for step in steps))

    def generate(self, n: int, generator: Generator) -> GlobalDraw:
        """Draw z_g step by step from the prior, and the map that it says."""
        steps = self.run(None, n, generator=generator)
        return GlobalDraw(_joined(steps), steps[-1].features, self.initial.new_zeros(n))

    def structure(self, latent: Float[Tensor, "B D"]) -> Float[Tensor, "B K F"]:
        """f(z_g): the map that a given z_g draws."""
        _, _, h_dec, c_dec = self.initial[:, None].expand(-1, len(latent), -1, -1)
        decoder, drawn = LSTMState(h_dec, c_dec), torch.zeros_like(h_dec)
        for part in latent.chunk(self.steps, dim=1):
            decoder = self.decoder(torch.cat([self.sketch(part), drawn], dim=-1), decoder)
            drawn = drawn + self.add(decoder.hidden)
        return drawn


def step_kl(step: DrawStep) -> Float[Tensor, "B"]:
    """KL(q(z_l) || p(z_l)) in nats; against a mixture -H(q) - log p(z_l), with the z_l that was drawn."""
    if isinstance(step.prior, GaussianMixture):
        return -step.posterior.entropy().sum(1) - step.prior.log_prob(step.latent)
    return kl_gaussian(step.posterior, step.prior).sum(1)


def _joined(steps: list[DrawStep]) -> Float[Tensor, "B D"]:
    return torch.cat([step.latent for step in steps], dim=1)


def _embedding(kind: Literal["linear", "transformer"], cells: int, inputs: int, features: int) -> nn.Module:
    if kind == "transformer":
        return nn.Sequential(mlp(inputs, (features,), features), CellTransformer(cells, features))
    return nn.Identity() if inputs == features else nn.Linear(inputs, features)
