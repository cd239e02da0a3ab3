"""Schedules: values at, between and beyond their points."""

import math

import pytest

from neurosym_lite.training.schedules import Schedule, constant, linear, warm_cosine


def test_linear_is_constant_outside_and_a_line_inside() -> None:
    beta = linear(10, 20, 0.0, 1.0)
    assert [beta(s) for s in (0, 9, 10, 15, 19, 20, 99)] == [0.0, 0.0, 0.0, 0.5, 0.9, 1.0, 1.0]


def test_log_halves_the_logarithm_halfway() -> None:
    rho = Schedule(((0, 0.5), (100, 0.005)), "log")
    assert rho(50) == pytest.approx(0.05)


def test_three_points_are_passed_through() -> None:
    beta = Schedule(((0, 0.03), (10, 2.5), (30, 1.0)))
    assert (beta(10), beta(20)) == (2.5, 1.75)


def test_a_learning_rate_rises_then_falls() -> None:
    rate = warm_cosine(1000, 1e-3, 1e-4, warmup=100)
    assert rate(0) == pytest.approx(1e-5) and rate(100) == 1e-3 and rate(1000) == 1e-4
    assert rate(550) == pytest.approx(5.5e-4)
    assert rate(325) == pytest.approx(1e-4 + 9e-4 * (1 + math.sqrt(0.5)) / 2)  # an eighth of a wave
    falling = [rate(s) for s in range(100, 1001, 50)]
    assert falling == sorted(falling, reverse=True)


def test_constant_is_constant() -> None:
    assert {constant(0.3)(s) for s in (0, 5, 10**6)} == {0.3}


def test_points_out_of_order_and_log_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="increasing steps"):
        Schedule(((10, 1.0), (5, 2.0)))
    with pytest.raises(ValueError, match="increasing steps"):
        Schedule(((5, 1.0), (5, 2.0)))
    with pytest.raises(ValueError, match="increasing steps"):
        Schedule(())
    with pytest.raises(ValueError, match="positive values"):
        Schedule(((0, 0.0), (5, 2.0)), "log")


@pytest.mark.parametrize(("steps", "warmup"), [(50, 100), (100, 100), (50, 0)])
def test_a_warm_up_as_long_as_the_phase_is_refused(steps: int, warmup: int) -> None:
    with pytest.raises(ValueError, match=f"warmup {warmup} must be above 0 and below steps {steps}"):
        warm_cosine(steps, 1e-3, 1e-4, warmup)
