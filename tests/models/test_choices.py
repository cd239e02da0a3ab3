"""A misspelt switch is refused with its choices, in every config that has switches."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from neurosym_lite.models.choices import check_choices
from neurosym_lite.training.recipe import MODELS, Phase
from neurosym_lite.training.schedules import Schedule, constant

SWITCHES = [
    (kind, name, get_args(hint))
    for kind in (*MODELS, Phase, Schedule)
    for name, hint in get_type_hints(kind).items()
    if get_origin(hint) is Literal
]
GIVEN: dict[type, dict[str, Any]] = {
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
