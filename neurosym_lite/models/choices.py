"""Switches with names: a field annotated as a Literal holds one of its choices, or the config is refused."""

from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints


def check_choices(config: Any) -> None:
    """Raise ValueError, with the choices, for a field of a dataclass that holds none of those of its Literal.

    Called in `__post_init__`: a name that is misspelt would else be taken for the last choice that the code asks for.
    """
    for name, kind in get_type_hints(type(config)).items():
        parts = (kind, *get_args(kind))  # of `Literal | None`; of a Literal alone they are it and its choices
        known = [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]
        value = getattr(config, name)
        if known and value not in known and not (value is None and NoneType in parts):
            raise ValueError(f"unknown {name} {value!r}: expected one of {', '.join(map(str, known))}")
