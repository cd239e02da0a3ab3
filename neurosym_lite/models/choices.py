"""What a config is refused for by itself: a switch with a name that is none of its choices, a size below 1."""

from numbers import Integral
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


def check_sizes(config: Any, *positive: str, none: tuple[str, ...] = ()) -> None:
    """Raise ValueError for an int field, or an entry of a tuple of them, that is no whole number above 0.

    The fields in `positive` are numbers that have to be above 0 too; those in `none` are sizes that may be 0. Called
    in `__post_init__`: PyTorch takes most such sizes, and complains later about a shape, or never.
    """
    for name, kind in get_type_hints(type(config)).items():
        value = getattr(config, name)
        if kind in (int, tuple[int, ...]):
            many, least = isinstance(value, tuple | list), 0 if name in none else 1
            if not all(isinstance(size, Integral) and size >= least for size in (value if many else [value])):
                expected = f"{'whole numbers' if many else 'a whole number'} {'above 0' if least else 'from 0 on'}"
                raise ValueError(f"{name}={value!r}: expected {expected}")
        if name in positive and not value > 0:
            raise ValueError(f"{name}={value!r}: expected a number above 0")
