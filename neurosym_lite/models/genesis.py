"""GENESIS (Engelcke et al. 2020): a scene as a mixture of images, drawn one component after another.

    p(x | z) = sum_k m_k N(x; mu_k, sigma^2),   p(z) = prod_k p(z_m,k | z_m,<k) p(z_c,k | z_m,k)

Each of K slots has a latent for its mask and one for its looks. The masks are cut off what is left of the canvas
(stick-breaking), the last slot gets the rest. There are no boxes: a slot may be anything, a digit, all digits, the
background. With its own settings GNM's authors could not get it to part a scene into objects; they trained it by a
plain ELBO with beta 10 on MNIST scenes, among other changes (appendix D.2).

Written from the two papers. The nets follow their sizes, with a norm over each image where theirs is over the batch,
so that an image's score does not depend on its neighbours.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from neurosym_lite.distributions import Gaussian, gaussian_head, image_log_likelihood, kl_gaussian, standard_gaussian
from neurosym_lite.layers import check_images
from neurosym_lite.models.choices import check_sizes
from neurosym_lite.models.vae import VAEWeights

LEAST_LOG_MASK = -10.0  # what the component encoder sees of a mask that is nearly zero


@dataclass(frozen=True)
class GenesisConfig:
    """Sizes of GENESIS; the defaults are the paper's at 128 x 128, with D.2's three layers in the broadcast decoder."""

    image_size: int = 128  # H = W, pixels
    channels: int = 1  # C
    components: int = 5  # K (not in GNM's paper: 5 for MNIST-4, one a digit and the background; 11 for MNIST-10)
    mask_filters: tuple[int, ...] = (32, 32, 64, 64, 64)  # gated convolutions, mirrored in the decoder
    mask_strides: tuple[int, ...] = (2, 2, 2, 1, 1)  # 2 halves the map
    mask_kernel: int = 5  # of those; one more has the size of the map
    mask_code: int = 256  # numbers that the mask encoder makes of an image
    mask_latent: int = 64  # of z_m,k
    posterior_lstm: int = 128  # hidden width of q(z_m,k | x, z_m,<k)
    prior_lstm: int = 256  # hidden width of p(z_m,k | z_m,<k)
    component_filters: tuple[int, ...] = (32, 32, 64, 64)  # 3 x 3, each halves the map
    component_code: int = 256  # hidden width after them
    component_latent: int = 16  # of z_c,k
    component_prior: tuple[int, ...] = (256, 256)  # hidden widths of p(z_c,k | z_m,k)
    broadcast_filters: tuple[int, ...] = (32, 32, 32)  # 3 x 3, of the broadcast decoder (D.2: 3 layers, not 4)
    broadcast_scale: int = 1  # the decoder draws a map this many times smaller and unfolds it (1: as the paper)
    sigma: float = 0.2  # std of the likelihood (GENESIS: 0.7; GNM's released code: 0.2 for all models)

    def __post_init__(self) -> None:
        """Raises ValueError for a size below 1."""
        check_sizes(self, "sigma")


class GenesisLoss(NamedTuple):
    """The negative ELBO and its parts, in nats an image."""

    log_likelihood: Float[Tensor, "B"]
    kl_mask: Float[Tensor, "B"]
    kl_component: Float[Tensor, "B"]
    total: Float[Tensor, "B"]


class Slots(NamedTuple):
    """One of the two latents, for all K slots: q, p and a draw (from q where something was seen, else from p)."""

    posterior: Gaussian | None
    prior: Gaussian
    latent: Float[Tensor, "B K D"]


class GenesisDraw(NamedTuple):
    """A scene in slots."""

    masks: Slots
    components: Slots
    log_masks: Float[Tensor, "B K H W"]
    """log m_k; the masks of a pixel sum to one."""
    means: Float[Tensor, "B K C H W"]
    """mu_k."""

    @property
    def image(self) -> Float[Tensor, "B C H W"]:
        """Mean of the mixture."""
        return (self.log_masks.exp()[:, :, None] * self.means).sum(1)


class Gate(nn.Module):
    """h * sigmoid(g) of a layer that gives (h, g), each normed over its channels and places."""

    def __init__(self, layer: nn.Module, outputs: int) -> None:
        super().__init__()
        self.layer, self.norm = layer, nn.GroupNorm(2, 2 * outputs)

    def forward(self, x: Float[Tensor, "N D h w"]) -> Float[Tensor, "N E y x"]:
        """The gated output."""
        value, gate = self.norm(self.layer(x)).chunk(2, dim=1)
        return value * gate.sigmoid()


def mask_encoder(config: GenesisConfig) -> nn.Sequential:
    """(B, C, H, W) -> (B, code): gated convolutions, the last as large as the map."""
    widths, kernel = (config.channels, *config.mask_filters), config.mask_kernel
    layers = [
        Gate(nn.Conv2d(a, 2 * b, kernel, stride, kernel // 2), b)
        for a, b, stride in zip(widths, config.mask_filters, config.mask_strides, strict=False)
    ]
    side = _side(config)
    last = Gate(nn.Conv2d(widths[-1], 2 * config.mask_code, side), config.mask_code)
    return nn.Sequential(*layers, last, nn.Flatten(1))


def mask_decoder(config: GenesisConfig) -> nn.Sequential:
    """(N, D, 1, 1) -> (N, 1, H, W): the same backwards, to the logit of the share that a slot takes of what is left."""
    filters, kernel, side = config.mask_filters[::-1], config.mask_kernel, _side(config)
    layers = [Gate(nn.ConvTranspose2d(config.mask_latent, 2 * filters[0], side), filters[0])]
    outputs = (*filters[1:], filters[-1])
    for a, b, stride in zip(filters, outputs, config.mask_strides[::-1], strict=True):
        layers.append(Gate(nn.ConvTranspose2d(a, 2 * b, kernel, stride, kernel // 2, stride - 1), b))
    return nn.Sequential(*layers, nn.Conv2d(filters[-1], 1, 1))


def _side(config: GenesisConfig) -> int:
    return config.image_size // 2 ** sum(stride == 2 for stride in config.mask_strides)


def component_encoder(config: GenesisConfig) -> nn.Sequential:
    """Image and log mask, (N, C + 1, H, W) -> (N, 2 D): the parameters of q(z_c,k | x, m_k)."""
    layers: list[nn.Module] = []
    before = config.channels + 1
    for width in config.component_filters:
        layers += [nn.Conv2d(before, width, 3, 2, 1), nn.ReLU()]
        before = width
    flat = before * (config.image_size // 2 ** len(config.component_filters)) ** 2
    hidden = [nn.Flatten(1), nn.Linear(flat, config.component_code), nn.ReLU()]
    return nn.Sequential(*layers, *hidden, nn.Linear(config.component_code, 2 * config.component_latent))


class BroadcastDecoder(nn.Module):
    """z_c at every pixel, beside the pixel's place, then convolutions (Watters et al. 2019)."""

    def __init__(self, config: GenesisConfig) -> None:
        super().__init__()
        side, scale = config.image_size // config.broadcast_scale, config.broadcast_scale
        line = torch.linspace(-1, 1, side)
        self.register_buffer("places", torch.stack(torch.meshgrid(line, line, indexing="xy")), persistent=False)
        layers: list[nn.Module] = []
        before = config.component_latent + 2
        for width in config.broadcast_filters:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, config.channels * scale**2, 1), nn.PixelShuffle(scale))

    def forward(self, latent: Float[Tensor, "N D"]) -> Float[Tensor, "N C H W"]:
        """Means in (0, 1)."""
        height, width = self.places.shape[1:]
        spread = latent[:, :, None, None].expand(-1, -1, height, width)
        return self.layers(torch.cat([spread, self.places.expand(len(latent), -1, -1, -1)], dim=1)).sigmoid()


def stick_breaking(logits: Float[Tensor, "B M H W"]) -> Float[Tensor, "B K H W"]:
    """log m of K = M + 1 masks: slot k takes sigmoid(logit_k) of what its predecessors left, the last takes the rest.

    Engelcke et al. 2020, equation 4.
    """
    taken, left = F.logsigmoid(logits), F.logsigmoid(-logits).cumsum(1)
    before = F.pad(left, (0, 0, 0, 0, 1, 0))  # log of 1 before the first slot
    return torch.cat([taken + before[:, :-1], left[:, -1:]], dim=1)


def mixture_log_likelihood(
    images: Float[Tensor, "B C H W"],
    log_masks: Float[Tensor, "B K H W"],
    means: Float[Tensor, "B K C H W"],
    sigma: float,
) -> Float[Tensor, "B"]:
    """log of sum_k m_k N(x; mu_k, sigma^2) in nats, summed over pixels; a pixel's channels share their slot."""
    error = (((images[:, None] - means) / sigma) ** 2).sum(2)
    explained = torch.logsumexp(log_masks - 0.5 * error, dim=1).flatten(1).sum(1)
    return explained + image_log_likelihood(images, images, sigma)  # the normaliser: what no error leaves


class Genesis(nn.Module):
    """K slots. Read `draw` first: it is the generative model and its posterior in one."""

    Config, Weights, Loss = GenesisConfig, VAEWeights, GenesisLoss

    def __init__(self, config: GenesisConfig) -> None:
        """Raises ValueError for fewer than two slots, where there is nothing to part.

        Also for an image whose side is no multiple of what the encoders halve it by, or strides for other layers.
        """
        super().__init__()
        if config.components < 2:
            raise ValueError(f"components={config.components}: GENESIS needs at least 2 slots")
        if len(config.mask_filters) != len(config.mask_strides):
            raise ValueError(
                f"need one stride a layer: got mask_filters {config.mask_filters}, mask_strides {config.mask_strides}"
            )
        halved = 2 ** max(sum(s == 2 for s in config.mask_strides), len(config.component_filters))
        if config.image_size % halved:
            raise ValueError(f"an image of {config.image_size} pixels: GENESIS needs a multiple of {halved}")
        self.config = config
        latent = config.mask_latent
        self.mask_encoder, self.mask_decoder = mask_encoder(config), mask_decoder(config)
        self.posterior_cell = nn.LSTMCell(config.mask_code + latent, config.posterior_lstm)
        self.posterior_head = nn.Linear(config.posterior_lstm, 2 * latent)
        self.prior_cell = nn.LSTMCell(latent, config.prior_lstm)
        self.prior_head = nn.Linear(config.prior_lstm, 2 * latent)
        self.component_encoder = component_encoder(config)
        widths = (latent, *config.component_prior)
        hidden = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ELU())]
        self.component_prior = nn.Sequential(*hidden, nn.Linear(widths[-1], 2 * config.component_latent))
        self.component_decoder = BroadcastDecoder(config)

    def draw(
        self,
        images: Float[Tensor, "B C H W"] | None,
        n: int,
        mode: bool = False,
        generator: Generator | None = None,
    ) -> GenesisDraw:
        """n scenes slot by slot: from q where `images` are given (its means with `mode`), else from the prior."""
        masks = self._mask_slots(None if images is None else self.mask_encoder(images), n, mode, generator)
        logits = self.mask_decoder(masks.latent[:, :-1].flatten(0, 1)[:, :, None, None])
        log_masks = stick_breaking(logits.unflatten(0, (n, self.config.components - 1))[:, :, 0])
        components = self._component_slots(masks.latent, log_masks, images, mode, generator)
        means = self.component_decoder(components.latent.flatten(0, 1))
        return GenesisDraw(masks, components, log_masks, means.unflatten(0, (n, self.config.components)))

    def _mask_slots(self, code: Float[Tensor, "B E"] | None, n: int, mode: bool, generator: Generator | None) -> Slots:
        """z_m,1 to z_m,K: the first from N(0, I), each other given those before it."""
        weight = self.prior_head.weight
        prior, prior_state, posterior_state = standard_gaussian((n, self.config.mask_latent), weight), None, None
        latent = prior.mean
        priors, posteriors, latents = [], [], []
        for slot in range(self.config.components):
            if slot:
                prior_state = self.prior_cell(latent, prior_state)
                prior = gaussian_head(self.prior_head(prior_state[0]))
            source = prior
            if code is not None:
                posterior_state = self.posterior_cell(torch.cat([code, latent], dim=1), posterior_state)
                source = gaussian_head(self.posterior_head(posterior_state[0]))
                posteriors.append(source)
            latent = source.mean if mode else source.sample(generator)
            priors.append(prior)
            latents.append(latent)
        return Slots(_stacked(posteriors) if posteriors else None, _stacked(priors), torch.stack(latents, dim=1))

    def _component_slots(
        self,
        mask_latent: Float[Tensor, "B K D"],
        log_masks: Float[Tensor, "B K H W"],
        images: Float[Tensor, "B C H W"] | None,
        mode: bool,
        generator: Generator | None,
    ) -> Slots:
        """z_c,k, of which the prior knows the slot's mask latent and the posterior its mask and the image."""
        prior, posterior = gaussian_head(self.component_prior(mask_latent)), None
        if images is not None:
            seen = log_masks.clamp(min=LEAST_LOG_MASK)[:, :, None]
            every = images[:, None].expand(-1, self.config.components, -1, -1, -1)
            parameters = self.component_encoder(torch.cat([every, seen], dim=2).flatten(0, 1))
            posterior = gaussian_head(parameters.unflatten(0, log_masks.shape[:2]))
        source = posterior or prior
        return Slots(posterior, prior, source.mean if mode else source.sample(generator))

    def infer(self, images: Float[Tensor, "B C H W"], mode: bool = False) -> GenesisDraw:
        """Images in [0, 1] in slots, latents from q (its means with `mode`). Raises ValueError for another size."""
        check_images(images, self.config.channels, self.config.image_size)
        return self.draw(images, len(images), mode)

    def redraw(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The images as the model sees them, from the means of the posterior."""
        return self.infer(images, mode=True).image

    def loss(self, images: Float[Tensor, "B C H W"], weights: VAEWeights) -> GenesisLoss:
        """-E_q[log p(x | z)] + beta (KL of all z_m + KL of all z_c), with one sample."""
        drawn = self.infer(images)
        log_likelihood = mixture_log_likelihood(images, drawn.log_masks, drawn.means, self.config.sigma)
        kl_mask, kl_component = (
            kl_gaussian(slots.posterior, slots.prior).flatten(1).sum(1) for slots in (drawn.masks, drawn.components)
        )
        total = -log_likelihood + weights.beta * (kl_mask + kl_component)
        return GenesisLoss(log_likelihood, kl_mask, kl_component, total)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Float[Tensor, "n C H W"]:
        """n images: all latents from the prior, and the mean of the mixture."""
        return self.draw(None, n, generator=generator).image


def _stacked(slots: list[Gaussian]) -> Gaussian:
    """One Gaussian over all slots, the slot on the second axis."""
    return Gaussian(*(torch.stack(column, dim=1) for column in zip(*slots, strict=True)))
