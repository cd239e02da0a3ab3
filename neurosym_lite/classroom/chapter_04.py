"""Chapter 4, the whole GNM: its exercises."""

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Generator, Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, Unusable, result, same_function
from neurosym_lite.latents import ObjectLatents
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.symbols import as_input

# ---- 4.1: how faint may a digit be?

COST, PIXELS, SIGMA = 25.0, 30, 0.1  # nats for a symbol; pixels of ink; std of the likelihood

FAINTEST = Exercise(
    number="4.1",
    asks="the least brightness of 30 pixels of ink that pays for a symbol of 25 nats, for sigma 0.1",
    solution=SIGMA * math.sqrt(2 * COST / PIXELS),
    same=SameNumber(1e-3),
    mistakes=(
        Mistake(
            SIGMA * math.sqrt(COST / PIXELS),
            "a factor of two: the Gaussian's exponent is the squared error over 2 sigma squared",
        ),
        Mistake(
            2 * COST * SIGMA**2 / PIXELS,
            "this is the square of the brightness: the error is squared",
        ),
        Mistake(
            SIGMA**2 * math.sqrt(2 * COST / PIXELS),
            "you took sigma squared out of the root; what comes out of it is sigma",
        ),
        Mistake(
            SIGMA * math.sqrt(2 * COST / 64**2),
            "only the pixels with ink gain: black ones are right with and without the object",
        ),
        Mistake(
            SIGMA * math.sqrt(2 * COST),
            "this is for a single pixel; thirty of them add up their gains",
        ),
    ),
    praise="what is fainter than this is cheaper to leave out: the likelihood's sigma decides what counts as an object",
    otherwise="missing ink of brightness c costs c^2 / (2 sigma^2) in each of its pixels: when is that 25 nats?",
)

# ---- 4.2: presence that a gradient passes through

# (logit, uniform, temperature): a fair coin, a likely object, an unlikely one; warm and cold
DRAWS = ((0.0, 0.3, 1.0), (2.0, 0.1, 1.0), (2.0, 0.9, 0.5), (-1.5, 0.8, 0.5), (-1.5, 0.6, 0.1))


def relaxed(logit: float, uniform: float, temperature: float) -> float:
    """A draw from the Concrete distribution, by a uniform number in (0, 1)."""
    noise = math.log(uniform) - math.log(1 - uniform)
    return _sigmoid((logit + noise) / temperature)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


RELAXED = Exercise(
    number="4.2",
    asks="a function relaxed(logit, uniform, temperature): a relaxed presence, made from a uniform number",
    solution=relaxed,
    same=same_function(*DRAWS, tolerance=1e-4),
    mistakes=(
        Mistake(
            lambda logit, uniform, temperature: _sigmoid((logit + math.log(uniform)) / temperature),
            "log u alone is never positive, so your noise only pushes towards absent: logistic noise is "
            "log u - log(1 - u)",
        ),
        Mistake(
            lambda logit, uniform, temperature: _sigmoid((logit - math.log(-math.log(uniform))) / temperature),
            "this is Gumbel noise, for the softmax over many classes: of two classes the difference of two Gumbels is "
            "left, which is logistic",
        ),
        Mistake(
            lambda logit, uniform, temperature: _sigmoid(
                (logit + math.log(uniform) - math.log(1 - uniform)) * temperature
            ),
            "a lower temperature has to come out nearer to 0 or 1; yours moves to one half",
        ),
        Mistake(
            lambda logit, uniform, temperature: _sigmoid(
                logit / temperature + math.log(uniform) - math.log(1 - uniform)
            ),
            "the temperature divides the noise too; else the share of ones changes with it",
        ),
        Mistake(
            lambda logit, uniform, temperature: _sigmoid(
                (logit - math.log(uniform) + math.log(1 - uniform)) / temperature
            ),
            "the same distribution, mirrored: a larger uniform number shall make presence likelier",
        ),
        Mistake(
            lambda logit, uniform, temperature: (logit + math.log(uniform) - math.log(1 - uniform)) / temperature,
            "this is still a logit, of any size: a presence lies between 0 and 1",
        ),
        Mistake(
            lambda logit, uniform, temperature: _sigmoid(logit + math.log(uniform) - math.log(1 - uniform)),
            "where is the temperature?",
        ),
        Mistake(
            lambda logit, uniform, temperature: 1 - relaxed(logit, uniform, temperature),
            "this is the probability of absent: look at the sign in the sigmoid's exponential",
        ),
        Mistake(
            lambda logit, uniform, temperature: float(uniform < _sigmoid(logit)),
            "this is the hard draw: right share of ones, but no gradient for the logit",
        ),
    ),
    praise="above one half as often as the hard coin says one, whatever the temperature, and smooth in the logit",
    otherwise="the noise is the log-odds of the uniform number: add it to the logit, divide by the temperature, squash",
)

# ---- 4.3: move an object to a place

# (x in pixels, column, grid, canvas): the cell's own centre, near and far from it, another grid, another canvas
PLACES = ((8.0, 0, 4, 64), (20.0, 1, 4, 64), (50.0, 3, 4, 64), (11.2, 1, 4, 64), (30.0, 3, 8, 64), (90.0, 2, 4, 128))


def shift_for(x: float, column: int, grid: int, size: int) -> float:
    """The raw u_x that puts the centre of a box of that column at pixel x."""
    return math.atanh(x * grid / size - column - 0.5)


PUT = Exercise(
    number="4.3",
    asks="a function shift_for(x, column, grid, size): the raw u_x that puts a cell's object at pixel x",
    solution=shift_for,
    same=same_function(*PLACES, tolerance=1e-3),
    mistakes=(
        Mistake(
            lambda x, column, grid, size: x * grid / size - column - 0.5,
            "right distance in cells, but u_x passes through a tanh before it is a distance",
        ),
        Mistake(
            lambda x, column, grid, size: math.atanh((x * grid / size - column - 0.5) / 2),
            "tanh(u) is in cells: an object moves by one cell at most, not by two",
        ),
        Mistake(
            lambda x, column, grid, size: math.tanh(x * grid / size - column - 0.5),
            "that is the way forward; to find u_x the tanh has to be undone",
        ),
        Mistake(
            lambda x, column, grid, size: -math.atanh(x * grid / size - column - 0.5),
            "the sign: an object right of its cell's centre has a positive u_x",
        ),
        Mistake(
            lambda x, column, grid, size: math.atanh(x * grid / size - column),
            "the cell's centre lies half a cell after its left edge",
        ),
    ),
    praise="the number has a meaning, so 'put it there' is one line; in the code of a VAE it would be a search",
    otherwise="how far is x from the centre of the cell itself, counted in cells? Where that is 0, u is 0",
)

# ---- 4.4: say it once

CLASSES, DIGITS, BETA = 7, 4, 2.5  # first digits 0 to 6; digits a scene; the largest weight of KL_g

ONCE = Exercise(
    number="4.4",
    asks="nats of the weighted objective saved by a code that says the class once in place of four times, beta_g 2.5",
    solution=BETA * (DIGITS - 1) * math.log(CLASSES),
    same=SameNumber(5e-2),
    mistakes=(
        Mistake(BETA * DIGITS * math.log(CLASSES), "once it still has to be said: three of the four are saved"),
        Mistake((DIGITS - 1) * math.log(CLASSES), "this is the saving in KL_g itself; the objective weighs it"),
        Mistake(BETA * (DIGITS - 1) * math.log2(CLASSES), "this is in bits; the objective counts nats"),
        Mistake(BETA * (DIGITS - 1) * math.log(10), "the first digit has seven possible classes, and decides the rest"),
        Mistake(BETA * math.log(CLASSES), "this is the price that is left when it is said once"),
    ),
    praise="at beta_g 0.03 the same code saves a sixth of a nat, and nothing pulls: that pull is what 2.5 is for",
    otherwise="naming one of seven classes costs log 7 nats; how many of the four can go, and at what weight?",
)  # fmt: skip

# ---- 4.5: one sweep of pseudo-Gibbs, around what is held

Sweep = Callable[[GNM, ObjectLatents, Generator], ObjectLatents]
HELD = torch.tensor([[True, False, False, True], [False, False, True, False], [True, True, False, False]])


def sweep_around(model: GNM, objects: ObjectLatents, held: Tensor, generator: Generator) -> ObjectLatents:
    """Symbols to z_g to symbols: z_g is drawn from q(z_g | z_s), new symbols are the mode; held cells keep theirs."""
    return put_back(swept(model, objects, generator), objects, held)


def swept(model: GNM, objects: ObjectLatents, generator: Generator) -> ObjectLatents:
    """One sweep of all cells."""
    seen = as_input(objects.pres, objects.where, objects.what)
    return model.prior(model.globals.infer(seen, generator=generator)).mode()


def put_back(new: ObjectLatents, old: ObjectLatents, held: Tensor) -> ObjectLatents:
    """The old symbols in the held cells, the new ones in the others."""
    cells = (held if part.dim() == held.dim() else held[..., None] for part in old)
    return ObjectLatents(*(torch.where(cell, a, b) for cell, a, b in zip(cells, old, new, strict=True)))


def _around(sweep: Sweep) -> Callable[[GNM, ObjectLatents, Tensor, Generator], ObjectLatents]:
    """Another sweep, with the held cells put back."""
    return lambda model, objects, held, generator: put_back(sweep(model, objects, generator), objects, held)


def _from_the_prior(model: GNM, objects: ObjectLatents, generator: Generator) -> ObjectLatents:
    return model.prior(model.globals.generate(len(objects.pres), generator)).mode()


def _with_means(model: GNM, objects: ObjectLatents, generator: Generator) -> ObjectLatents:
    return model.prior(model.globals.infer(as_input(objects.pres, objects.where, objects.what), mode=True)).mode()


def _with_drawn_symbols(model: GNM, objects: ObjectLatents, generator: Generator) -> ObjectLatents:
    seen = as_input(objects.pres, objects.where, objects.what)
    return model.prior(model.globals.infer(seen, generator=generator)).sample(generator)


def _with_absent_cells(model: GNM, objects: ObjectLatents, generator: Generator) -> ObjectLatents:
    seen = torch.cat([objects.pres[..., None], objects.where, objects.what], dim=-1)
    return model.prior(model.globals.infer(seen, generator=generator)).mode()


def _holding(*names: str) -> Callable[[GNM, ObjectLatents, Tensor, Generator], ObjectLatents]:
    def wrong(model: GNM, objects: ObjectLatents, held: Tensor, generator: Generator) -> ObjectLatents:
        new = swept(model, objects, generator)
        whole = put_back(new, objects, held)
        return new._replace(**{name: getattr(whole, name) for name in names})

    return wrong


def _not_at_all(model: GNM, objects: ObjectLatents, generator: Generator) -> ObjectLatents:
    return objects


@cache
def small_model() -> tuple[GNM, ObjectLatents]:
    """A GNM of random weights, and symbols with absent cells among them."""
    config = GNMConfig(
        image_size=16, grid=2, filters=(4, 4, 4), strides=(2, 2, 2), heads=(8,), what=3, glimpse_size=4,
        glimpse_encoder=(8,), glimpse_decoder=(8,), prior="struct", latent=4, structure=8, hidden=(8,),
        draw_hidden=(8,), draw_steps=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GNM(config).eval().requires_grad_(False)
    generator = Generator().manual_seed(1)
    pres = (torch.rand(3, 4, generator=generator) < 0.5).float()
    parts = [torch.randn(3, 4, *shape, generator=generator) for shape in ((4,), (), (3,))]
    return model, ObjectLatents(pres, *parts)


def _same_symbols(f: Callable[..., ObjectLatents], g: Callable[..., ObjectLatents]) -> bool:
    """Do two functions make the same symbols of the same ones, from the same generator?"""
    first, again, second = (_swept_by(h) for h in (f, f, g))
    if not _close(first, again):
        raise Unusable("twice from one generator, and not the same symbols: everything random has to come from it.")
    return _close(first, second)


def _swept_by(f: Callable[..., ObjectLatents]) -> ObjectLatents:
    model, objects = small_model()
    parts = result(lambda *given: f(model, *given), objects, HELD, Generator().manual_seed(2))
    if not isinstance(parts, tuple) or len(parts) != len(objects):
        raise Unusable(f"symbols are asked for, ObjectLatents({', '.join(objects._fields)}).")
    return ObjectLatents(*(torch.as_tensor(part) for part in parts))


def _close(a: ObjectLatents, b: ObjectLatents) -> bool:
    """The same symbols, whatever types their numbers have?"""
    pairs = zip(a, b, strict=True)
    return all(p.shape == q.shape and torch.allclose(p.double(), q.double(), atol=1e-5) for p, q in pairs)


SWEEP = Exercise(
    number="4.5",
    asks="sweep_around(model, objects, held, generator): a sweep in which held cells keep their symbols",
    solution=sweep_around,
    same=_same_symbols,
    mistakes=(
        Mistake(
            _around(_from_the_prior),
            "your z_g comes from the prior: the symbols that you were given are not looked at",
        ),
        Mistake(
            _around(_with_means),
            "you took the mean of q(z_g | z_s); a sweep draws from it, or the chain would stand still",
        ),
        Mistake(
            _around(_with_drawn_symbols),
            "you drew the symbols; like the paper's samples they are the mode of p(z_s | z_g)",
        ),
        Mistake(
            _around(_with_absent_cells),
            "absent cells say where and what here: q(z_g | z_s) expects pres, pres * where, pres * what",
        ),
        Mistake(
            _around(_not_at_all),
            "these are the symbols you were given: z_g has to be drawn anew and read again",
        ),
        Mistake(
            lambda model, objects, held, generator: swept(model, objects, generator),
            "a good sweep, but the held cells have moved too",
        ),
        Mistake(
            lambda model, objects, held, generator: put_back(swept(model, objects, generator), objects, ~held),
            "the wrong way round: what is held stays, what is not held is new",
        ),
        Mistake(_holding("pres"), "only presence is held: place, depth and look of a held cell stay as well"),
        Mistake(_holding("where"), "only the place is held: presence, depth and look of a held cell stay as well"),
        Mistake(_holding("pres", "where", "what"), "depth is not held: it decides which of two objects is in front"),
    ),
    praise="alone on the canvas, a held digit mostly grows a scene around itself; beside strangers it is outvoted",
    otherwise="begin with as_input, which makes symbols readable for model.globals; then up to z_g, and down again. "
    "All of it with the model that you are given, which need not be the chapter's",
)

EXERCISES: tuple[Exercise, ...] = (FAINTEST, RELAXED, PUT, ONCE, SWEEP)
