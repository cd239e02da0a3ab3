"""What a recipe is: everything that decides a trained model. `recipes.py` has those with names."""

import dataclasses
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from neurosym_lite.data.arrow_room import ArrowRoomSource
from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.data.fixed_scenes import FixedScenes
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.models.air import AIR
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

    size: int = 64  # canvas side, pixels (paper: 128)
    scenes: int = 20_000  # training rooms in all, drawn once at the start (paper: 60,000); 0: every batch is new

    def source(
        self, split: str, glyph_set: str | None = None, device: str = "cpu"
    ) -> ArrowRoomSource | FixedScenes:
        """The stream of rooms; only that to train on may be finite. Raises ValueError for any handwriting."""
        if glyph_set:
            raise ValueError(f"rooms have no handwriting: leave {glyph_set!r} out")
        stream = ArrowRoomSource(self.size)
        return FixedScenes(stream, self.scenes, device) if self.scenes and split == "train" else stream


@dataclass(frozen=True)
class DrawingData:
    """Single characters."""

    glyphs: str = "digits"  # a character set
    size: int = 28  # canvas side, pixels
    moved: float = 0.0  # share of training characters that come through a random affine map

    def source(self, split: str, glyph_set: str | None = None, device: str = "cpu") -> DrawingSource:
        """The stream of characters, of another set where one is named; only those to train on are moved."""
        moved = self.moved if split == "train" else 0.0
        return DrawingSource(glyph_set or self.glyphs, split, self.size, device, moved)


Data = SceneData | ArrowRoomData | DrawingData


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
        """Raises ValueError for weights that the model does not know or lacks, and for a bank in the wrong phase."""
        kind = MODELS[type(self.model)].Weights
        for phase in self.phases:
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


def rescaled(recipe: Recipe, batch: int | None = None, rate: float = 1.0) -> Recipe:
    """The recipe with another batch (images a step, over all ranks) and its learning rates times `rate`."""
    phases = [
        replace(phase, batch=batch or phase.batch, learning_rate=scaled(phase.learning_rate, rate))
        for phase in recipe.phases
    ]
    return replace(recipe, phases=tuple(phases))
