"""What a recipe is: everything that decides a trained model. `recipes.py` has those with names."""

import dataclasses
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from neurosym_lite.data.arrow_room import ArrowRoomSource
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.data.fixed_scenes import FixedScenes
from neurosym_lite.data.own_images import ImageSource, as_bytes, digest_of, read_images
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.models.air import AIR
from neurosym_lite.models.choices import check_choices
from neurosym_lite.models.convdraw import ConvDraw, ConvDrawConfig
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.dood_config import AIRConfig, DooDConfig
from neurosym_lite.models.genesis import Genesis, GenesisConfig
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.space import Space, SpaceConfig
from neurosym_lite.models.successor import Successor, SuccessorConfig
from neurosym_lite.models.vae import VAE, VAEConfig
from neurosym_lite.training.schedules import Schedule, scaled

SceneConfig = GNMConfig | VAEConfig | ConvDrawConfig | GenesisConfig | SpaceConfig | SuccessorConfig
Config = SceneConfig | DooDConfig | AIRConfig
SceneModel = GNM | VAE | ConvDraw | Genesis | Space | Successor
Model = SceneModel | DooD | AIR
MODELS = {
    GNMConfig: GNM, VAEConfig: VAE, ConvDrawConfig: ConvDraw, GenesisConfig: Genesis, SpaceConfig: Space,
    SuccessorConfig: Successor, DooDConfig: DooD, AIRConfig: AIR,
}  # fmt: skip


@dataclass(frozen=True)
class SceneData:
    """Scenes that obey a rule."""

    channels: ClassVar[int] = 1  # C: ink on black
    rule: str  # a key of data.scenes.RULES
    glyphs: str = "digits"  # handwriting: "digits" is embedded, "mnist" is downloaded
    size: int = 64  # canvas side, pixels
    backdrop: str = "black"  # what lies behind the digits: a key of data.scenes.BACKDROPS
    scenes: int = 0  # training scenes in all, the same over and over; 0: every batch is new (paper: 60,000)

    def source(self, split: str, glyph_set: str | None = None, device: str = "cpu") -> SceneSource | FixedScenes:
        """The stream of scenes, in another handwriting where one is named; only that to train on may be finite."""
        stream = SceneSource(self.rule, glyph_set or self.glyphs, split, self.size, device, self.backdrop)
        return FixedScenes(stream, self.scenes, device) if self.scenes and split == "train" else stream


@dataclass(frozen=True)
class ArrowRoomData:
    """Rooms in which an arrow points at the odd one out."""

    channels: ClassVar[int] = 3  # C: sRGB
    size: int = 64  # canvas side, pixels (paper: 128)
    scenes: int = 20_000  # training rooms in all, drawn once at the start (paper: 60,000); 0: every batch is new

    def source(self, split: str, glyph_set: str | None = None, device: str = "cpu") -> ArrowRoomSource | FixedScenes:
        """The stream of rooms; only that to train on may be finite. Raises ValueError for any handwriting."""
        if glyph_set:
            raise ValueError(f"rooms have no handwriting: leave {glyph_set!r} out")
        stream = ArrowRoomSource(self.size)
        return FixedScenes(stream, self.scenes, device) if self.scenes and split == "train" else stream


@dataclass(frozen=True)
class DrawingData:
    """Single characters."""

    channels: ClassVar[int] = 1  # C: ink on black
    glyphs: str = "digits"  # a character set
    size: int = 28  # canvas side, pixels
    moved: float = 0.0  # share of training characters that come through a random affine map

    def source(self, split: str, glyph_set: str | None = None, device: str = "cpu") -> DrawingSource:
        """The stream of characters, of another set where one is named; only those to train on are moved."""
        moved = self.moved if split == "train" else 0.0
        return DrawingSource(glyph_set or self.glyphs, split, self.size, device, moved)


@dataclass(frozen=True)
class ImageData:
    """Images of one's own, of which nothing else is known."""

    path: str  # an npz with the array `images`
    digest: str  # of the images: they may be moved, but not changed
    like: str  # name of the recipe that is trained on them
    channels: int = 1  # C
    size: int = 64  # side, pixels

    def source(self, split: str, glyph_set: str | None = None, device: str = "cpu") -> ImageSource:
        """The stream of images. Raises ValueError for any handwriting, and for images that do not fit or changed."""
        if glyph_set:
            raise ValueError(f"images of one's own have no handwriting: leave {glyph_set!r} out")
        return ImageSource(self.path, split, self.channels, self.size, device, self.digest)


Data = SceneData | ArrowRoomData | DrawingData | ImageData


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one optimiser and one set of schedules."""

    steps: int
    learning_rate: Schedule
    weights: dict[str, Schedule]  # by field of the model's Weights; what has a default there may be left out
    batch: int = 32  # images a step
    clip: float = 10.0  # largest global norm of the gradient
    train: tuple[str, ...] = ()  # names of the parts that learn; () is all
    objective: Literal["loss", "symbol_loss", "prior_loss"] = "loss"  # the model's method that is minimised
    bank: int = 0  # scenes whose symbols are inferred once and held fixed (prior_loss alone, and it needs them)

    def __post_init__(self) -> None:
        """Raises ValueError for an objective that does not exist, no steps, or batches of nothing.

        Also for a plain number where a schedule is wanted.
        """
        check_choices(self)
        for name, schedule in {"learning_rate": self.learning_rate, **self.weights}.items():
            if not isinstance(schedule, Schedule):
                raise ValueError(f"{name} is {schedule!r}: expected a schedule, as schedules.constant({schedule!r})")
        if self.steps < 1 or self.batch < 1:
            raise ValueError(f"a phase of {self.steps} steps with {self.batch} images: expected at least 1 of each")


@dataclass(frozen=True)
class Recipe:
    """A named training run."""

    name: str
    about: str  # one line: what it is for
    model: Config
    data: Data
    phases: tuple[Phase, ...]
    seed: int = 0
    ema: float = 0.0  # decay of the averaged weights that are shipped; 0 ships the last ones
    start: str | None = None  # recipe whose checkpoint gives the first weights
    metrics: tuple[str, ...] = field(default=())  # what a finished run is evaluated by

    def __post_init__(self) -> None:
        """Raises ValueError where model, data and phases do not go together.

        That is: pictures of another size, no phase, averages that never move, an objective or weights that the model
        does not know, weights that it lacks, a bank in the wrong phase.
        """
        seen, drawn = (part.channels for part in (self.model, self.data))
        if (seen, self.model.image_size) != (drawn, self.data.size):
            raise ValueError(
                f"{self.name}: the model is made for {seen} x {self.model.image_size} x {self.model.image_size} "
                f"(channels, pixels), its data has {drawn} x {self.data.size} x {self.data.size}: make them agree"
            )
        if not self.phases:
            raise ValueError(f"{self.name} has no phases: give at least one")
        if not 0 <= self.ema < 1:
            raise ValueError(f"{self.name} averages with ema={self.ema}: expected at least 0 and less than 1")
        model = MODELS[type(self.model)]
        kind = model.Weights
        for phase in self.phases:
            if not hasattr(model, phase.objective):
                raise ValueError(f"{self.name} minimises {phase.objective}, which {model.__name__} does not have")
            if strange := sorted(phase.weights.keys() - set(kind._fields)):
                raise ValueError(f"{self.name} weighs {strange[0]!r}: known are {', '.join(kind._fields)}")
            if missing := sorted(set(kind._fields) - kind._field_defaults.keys() - phase.weights.keys()):
                raise ValueError(f"{self.name} lacks the weight {missing[0]!r}, which has no default")
            if (phase.objective == "prior_loss") != (phase.bank > 0):
                raise ValueError(f"{self.name}: prior_loss, and only that, learns from a bank, with bank > 0 scenes")

    @property
    def steps(self) -> int:
        """Steps of all phases together."""
        return sum(phase.steps for phase in self.phases)

    def build(self) -> Model:
        """The untrained model, drawn from torch's default generator."""
        return MODELS[type(self.model)](self.model)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for headers and records; two recipes are the same run if these are equal."""
        plain = dataclasses.asdict(self)
        plain["model"] = {"kind": type(self.model).__name__, **plain["model"]}
        return plain

    def phase_at(self, step: int) -> tuple[Phase, int]:
        """The phase that a step (counted over all phases) belongs to, and the step within it."""
        within = step
        for phase in self.phases:
            if within < phase.steps:
                return phase, within
            within -= phase.steps
        raise ValueError(f"step {step} of {self.name!r}, which has {self.steps}: go on with a recipe that has more")


def on_images(recipe: Recipe, path: str, digest: str = "") -> Recipe:
    """The recipe with images of one's own for its data. It measures how well it redraws those that are held out.

    They are the images that the file has now, or those of a digest. Raises ValueError as `read_images` does.
    """
    channels, size = recipe.data.channels, recipe.data.size
    digest = digest or digest_of(as_bytes(read_images(Path(path), channels, size)))
    data = ImageData(path, digest, recipe.name, channels, size)
    metrics = tuple(name for name in recipe.metrics if name == "reconstruction")
    about = f"{recipe.name} on images of one's own"
    return replace(recipe, name=f"{recipe.name}-own", about=about, data=data, metrics=metrics)


def rescaled(recipe: Recipe, batch: int | None = None, rate: float = 1.0) -> Recipe:
    """The recipe with another batch (images a step, over all ranks) and its learning rates times `rate`."""
    phases = [
        replace(phase, batch=batch or phase.batch, learning_rate=scaled(phase.learning_rate, rate))
        for phase in recipe.phases
    ]
    return replace(recipe, phases=tuple(phases))
