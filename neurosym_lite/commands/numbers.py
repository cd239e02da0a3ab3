"""Numbers that commands are given: in range, or a complaint. No torch: the command line is read before it is loaded."""

import argparse
from collections.abc import Callable

LARGEST = 2**63 - 1  # of torch's numbers, and so of its generators' seeds


def positive(kind: type) -> Callable[[str], int | float]:
    """An argument type: a number of that kind, above zero."""

    def parse(text: str) -> int | float:
        """The number, or a complaint for argparse."""
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        if value > LARGEST:
            raise argparse.ArgumentTypeError(f"{text} is more than {LARGEST}")
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def not_negative(text: str) -> int:
    """An argument type: a whole number, 0 or more, that a generator can be seeded with."""
    if not 0 <= int(text) <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LARGEST}")
    return int(text)
