"""What the tests of several pages share."""

import math

import pytest

from scripts.pages import cells


@pytest.fixture
def spread_of_nan(monkeypatch) -> None:
    """A standard deviation that takes NaN, as the real one does not."""
    monkeypatch.setattr(cells, "stdev", lambda values: math.nan)
