"""A misspelt switch is refused with its choices, and a size of nothing, in every config that has them."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from neurosym_lite.models.choices import check_choices
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.space import SpaceConfig
from neurosym_lite.models.successor import SuccessorConfig
from neurosym_lite.training.recipe import MODELS, Phase
from neurosym_lite.training.schedules import Schedule, constant

SWITCHES = [
    (kind, name, get_args(hint))
    for kind in (*MODELS, Phase, Schedule)
    for name, hint in get_type_hints(kind).items()
    if get_origin(hint) is Literal
]
SIZES = [(kind, name, hint) for kind in MODELS for name, hint in get_type_hints(kind).items()
         if hint in (int, tuple[int, ...])]  # fmt: skip
POSITIVE = [(kind, name) for kind in MODELS for name in ("sigma", "scale_floor", "ink_slope", "reach", "glimpse_window")
            if name in get_type_hints(kind)]  # fmt: skip
MAY_BE_0 = {(GNMConfig, "background")}
GIVEN: dict[type, dict[str, Any]] = {
    SuccessorConfig: {"symbols": GNMConfig()},
    Phase: {"steps": 1, "learning_rate": constant(1.0), "weights": {}},
    Schedule: {"points": ((0, 1.0),)},
}


@pytest.mark.parametrize(("kind", "name", "known"), SWITCHES)
def test_a_misspelt_switch_is_refused_with_its_choices(kind: type, name: str, known: tuple[str, ...]) -> None:
    """Past the annotations, which are checked in the tests alone."""
    for choice in known:
        config = kind(**GIVEN.get(kind, {}) | {name: choice})
    object.__setattr__(config, name, "misspelt")
    message = f"unknown {name} 'misspelt': expected one of {', '.join(known)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        config.__post_init__()


def test_every_model_with_switches_is_among_them() -> None:
    assert {kind.__name__ for kind, _, _ in SWITCHES} == {
        "GNMConfig", "ConvDrawConfig", "DooDConfig", "AIRConfig", "Phase", "Schedule"
    }  # fmt: skip


def test_nothing_is_a_choice_where_it_may_be_none() -> None:
    @dataclass(frozen=True)
    class Switch:
        pen: Literal["thin", "wide"] | None = None

    check_choices(Switch()), check_choices(dataclasses.replace(Switch(), pen="thin"))
    with pytest.raises(ValueError, match="unknown pen 'fat': expected one of thin, wide"):
        check_choices(Switch("fat"))


@pytest.mark.parametrize(("kind", "name", "hint"), SIZES)
def test_a_size_of_nothing_is_refused(kind: type, name: str, hint: type) -> None:
    config = kind(**GIVEN.get(kind, {}))
    for number in (0, -1, 1.5, "4"):
        object.__setattr__(config, name, number if hint is int else (4, number))
        if number == 0 and (kind, name) in MAY_BE_0:
            config.__post_init__()
            continue
        least = "from 0 on" if (kind, name) in MAY_BE_0 else "above 0"
        words = "a whole number" if hint is int else "whole numbers"
        with pytest.raises(ValueError, match=re.escape(f"{name}={getattr(config, name)!r}: expected {words} {least}")):
            config.__post_init__()


@pytest.mark.parametrize(("kind", "name"), POSITIVE)
def test_a_width_of_nothing_is_refused(kind: type, name: str) -> None:
    config = kind(**GIVEN.get(kind, {}))
    for number in (0.0, -0.1, float("nan")):
        object.__setattr__(config, name, number)
        with pytest.raises(ValueError, match=f"{name}={number}: expected a number above 0"):
            config.__post_init__()


def test_every_model_has_sizes() -> None:
    assert {kind for kind, _, _ in SIZES} == set(MODELS) - {SpaceConfig}


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_prior_of_presence_is_a_probability(share: float) -> None:
    with pytest.raises(ValueError, match=f"presence_prior {share}: expected a probability, from 0 to 1"):
        GNMConfig(presence_prior=share)
