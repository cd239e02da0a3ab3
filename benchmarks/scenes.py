"""How many scenes a second the generator makes, at 64 x 64, by CPU time."""

from torch import Generator

from benchmarks.measure import cpu_milliseconds
from neurosym_lite.data.scenes import RULES, SceneSource

BATCH = 1000


def scenes_per_second() -> dict[str, int]:
    """Scenes a CPU second for every rule."""
    rates = {}
    for rule in RULES:
        source, generator = SceneSource(rule), Generator().manual_seed(0)
        milliseconds = cpu_milliseconds(lambda source=source, g=generator: source.batch(BATCH, g), rounds=3, repeats=3)
        rates[rule] = round(BATCH * 1000 / milliseconds)
    return rates
