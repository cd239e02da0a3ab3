"""What a DooD or an AIR is made of: sizes and switches, each with its source."""

from dataclasses import dataclass
from math import pi
from typing import Literal

from neurosym_lite.models.choices import check_choices, check_sizes

Stop = Literal["nvil", "exact", "summed"]

# z_where = (shift x, shift y, scale, rotation): the range of its mean (the paper's code)
WHERE_LOW, WHERE_HIGH = (-0.8, -0.8, 0.25, -pi / 4), (0.8, 0.8, 1.0, pi / 4)


@dataclass(frozen=True)
class DooDConfig:
    """Sizes of DooD; the defaults are the lite model's. PAPER_DOOD has the paper's sizes; pen and stop stay ours."""

    image_size: int = 28  # H = W, pixels (paper: 50)
    channels: int = 1  # drawings have one
    strokes: int = 6  # T, most strokes of a drawing
    points: int = 5  # P, control points of a stroke: degree 4
    hidden: int = 160  # width of the recurrent states and of the heads (paper: 256)
    components: int = 6  # M, K: Gaussians in the priors of layout and stroke (paper's code: 40)
    glimpse: int = 20  # side of what a frame sees, pixels (paper: that of the image)
    filters: tuple[int, ...] = (16, 24)  # of the encoders of target and residual (paper: 8, 16)
    strides: tuple[int, ...] = (2, 2)  # 2 halves the map (paper: 1, 1)
    canvas_filters: tuple[int, ...] = ()  # of the encoders of the canvas; () is a 2 x 2 mean (ours)
    canvas_strides: tuple[int, ...] = ()
    stop: Stop = "summed"  # how q_on learns (paper: nvil); see models.stop
    execution_guidance: bool = True  # canvas and residual are seen; False is the ablation DooD-EG
    prior: Literal["sequential", "independent"] = "sequential"  # independent: it knows nothing of what is drawn already
    decoder: Literal["spline", "neural"] = "spline"  # neural: a raster from an MLP, the ablation DooD-dR
    pen: Literal["distance", "sum-max-tanh"] = "distance"  # the second is the paper's (appendix B.1)
    compositing: Literal["soft-or", "sum-tanh"] = "soft-or"  # the second is the paper's
    ink_slope: float = 0.48  # of sum-tanh (the paper's code begins there, and predicts it from 0.1 to 1.5)
    samples: int = 48  # N, points on a curve (paper: 100)
    reach: float = 1.4  # the mean of a control point, in its frame (paper's code: -0.2 to 1.2 of a [0, 1] frame)
    radius: tuple[float, float] = (0.5, 3.0)  # of the pen, pixels
    softness: tuple[float, float] = (0.15, 0.8)  # of its edge, pixels
    scale_floor: float = 0.1  # least scale b of the Laplace likelihood; one number, learned (paper's code: 0.01)

    def __post_init__(self) -> None:
        """Raises ValueError for a switch with a name that it does not know, and for a size below 1."""
        check_choices(self)
        check_sizes(self, "ink_slope", "reach", "scale_floor")


@dataclass(frozen=True)
class AIRConfig:
    """Sizes of AIR and Difference-AIR (the versions that DooD is compared with); the defaults are lite."""

    image_size: int = 28  # H = W, pixels (paper: 50)
    channels: int = 1
    strokes: int = 6  # T, most parts of a picture
    what: int = 10  # D, width of a part's code z_what (the paper's code)
    hidden: int = 160  # width of the recurrent state, the heads and the decoder (paper: 256)
    glimpse: int = 20  # side of a part's raster, pixels (paper: that of the image)
    filters: tuple[int, ...] = (16, 24)  # of the encoders
    strides: tuple[int, ...] = (2, 2)
    residual: bool = False  # the recognition network sees what is left to draw: Difference-AIR
    stop: Stop = "summed"
    presence_prior: float = 0.5  # p(o_t = 1 | o_{t-1} = 1), fixed (the paper's code); with stop "summed" the price
    # takes its place in learning, and it is left for samples and for the reported bound
    likelihood: Literal["laplace", "normal"] = "laplace"  # the paper's code has both for AIR, and takes the normal one
    # where the Laplace fails: its best guess for an uncertain pixel is black, and the decoder stays there
    scale_floor: float = 0.1  # least scale b of the Laplace, or least standard deviation of the normal likelihood

    def __post_init__(self) -> None:
        """Raises ValueError for a switch with a name that it does not know, a size below 1, a coin that is not one."""
        check_choices(self)
        check_sizes(self, "scale_floor")
        if not 0 < self.presence_prior < 1:
            raise ValueError(f"presence_prior {self.presence_prior}: expected a probability above 0 and below 1")


PAPER_DOOD = DooDConfig(
    image_size=50,
    hidden=256,
    components=40,
    glimpse=50,
    filters=(8, 16),
    strides=(1, 1),
    canvas_filters=(8, 16),
    canvas_strides=(1, 1),
    samples=100,
    radius=(0.5, 5.0),
    scale_floor=0.01,
)
PAPER_AIR = AIRConfig(image_size=50, hidden=256, glimpse=50, filters=(8, 16), strides=(1, 1), scale_floor=0.01)
