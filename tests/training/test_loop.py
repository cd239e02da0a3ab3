"""Resuming gives the same bits as not stopping, whenever the stop came."""

import dataclasses
import os
import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.training import loop
from neurosym_lite.training import recipe as recipe_module
from neurosym_lite.training.checkpoints import CheckpointError, read_file, write_file
from neurosym_lite.training.keeping import FOLDER, Keeper
from neurosym_lite.training.loop import Interrupt, Run, fit, load_state, save_state, shipped_weights, start
from neurosym_lite.training.recipe import Recipe, rescaled
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.run import DATA_SEED
from neurosym_lite.training.schedules import constant

CPU = torch.device("cpu")
ADDED = ("format", "kind", "package_version", "torch_version")  # header entries that write_file adds


def state_of(run: Run) -> dict[str, Tensor]:
    return {f"weight.{n}": t.clone() for n, t in run.model.state_dict().items()} | {
        f"average.{n}": t.clone() for n, t in run.averages.items()
    }


def assert_equal_states(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


@pytest.fixture
def whole(recipe: Recipe, tmp_path) -> dict[str, Tensor]:
    run = start(recipe, 1, CPU)
    assert not fit(run, tmp_path / "whole.safetensors", steps=recipe.steps)
    return state_of(run)


def test_a_run_by_hand(recipe: Recipe, tmp_path, monkeypatch) -> None:
    """Adam on fresh scenes, anew in each phase, by schedules that count the phase's own steps; averages after it."""
    monkeypatch.setattr(loop, "CURVE_STEPS", 5)
    run = start(recipe, 1, CPU)
    fit(run, tmp_path / "state.safetensors", steps=recipe.steps)
    torch.manual_seed(1)
    model, scenes = recipe.build(), torch.Generator().manual_seed(1 + DATA_SEED)
    source, averages = recipe.data.source("train"), {n: t.clone() for n, t in model.state_dict().items()}
    totals: list[float] = []
    for phase in recipe.phases:
        trained = [p for n, p in model.named_parameters() if not phase.train or n.split(".")[0] in phase.train]
        for parameter in model.parameters():
            parameter.requires_grad_(any(parameter is p for p in trained))
        optimiser = torch.optim.Adam(trained, fused=True)
        for step in range(phase.steps):
            images = source.batch(phase.batch, scenes).images.float() / 255
            named = {name: torch.tensor(schedule(step)) for name, schedule in phase.weights.items()}
            loss = model.loss(images, model.Weights(**named)).total.mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, phase.clip)
            optimiser.param_groups[0]["lr"] = phase.learning_rate(step)
            optimiser.step()
            decay = min(recipe.ema, (1 + len(totals)) / (10 + len(totals)))
            averages = {n: decay * averages[n] + (1 - decay) * t for n, t in model.state_dict().items()}
            totals.append(float(loss.detach()))
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(run.model.state_dict()[name], tensor, msg=name, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(run.averages[name], averages[name], msg=name, rtol=1e-4, atol=1e-6)
    points = [(point["step"], point["total"]) for point in run.curve]
    want = [(end, sum(totals[end - 5 : end]) / 5) for end in (5, 10)]
    assert [step for step, _ in points] == [5, 10]
    assert [total for _, total in points] == pytest.approx([total for _, total in want], rel=1e-4)


@pytest.mark.parametrize("stop", [1, 5, 6, 7, 13])
def test_a_stopped_run_goes_on_bit_by_bit(recipe: Recipe, tmp_path, whole, stop: int) -> None:
    path = tmp_path / "state.safetensors"
    fit(start(recipe, 1, CPU), path, steps=stop)
    torch.rand(100)  # what else happens in between must not matter
    run = load_state(recipe, 1, CPU, path)
    assert run.step == stop
    fit(run, path, steps=recipe.steps)
    assert_equal_states(state_of(run), whole)


@pytest.mark.parametrize("name", ["dood-digits-lite", "dood-digits-short-nvil", "air-mnist-lite", "vae-digits1-lite"])
def test_every_kind_of_model_goes_on_bit_by_bit(name: str, tmp_path) -> None:
    """DooD and AIR have parameters that never get a gradient where the stop is not learned by NVIL."""
    known = RECIPES[name]
    recipe = dataclasses.replace(known, data=dataclasses.replace(known.data, glyphs="digits"))
    unbroken, path = start(recipe, 1, CPU), tmp_path / "state.safetensors"
    fit(unbroken, tmp_path / "whole.safetensors", steps=3)
    fit(start(recipe, 1, CPU), path, steps=2)
    run = load_state(recipe, 1, CPU, path)
    fit(run, path, steps=3)
    assert_equal_states(state_of(run), state_of(unbroken))


def test_the_state_file_of_a_resumed_run_is_that_of_a_whole_one(recipe: Recipe, tmp_path, whole) -> None:
    path = tmp_path / "state.safetensors"
    for steps in range(1, recipe.steps + 1):
        fit(load_state(recipe, 1, CPU, path) if path.exists() else start(recipe, 1, CPU), path, steps=steps)
    ours, theirs = read_file(path, "state")[0], read_file(tmp_path / "whole.safetensors", "state")[0]
    assert_equal_states(ours, theirs)


def test_another_seed_is_another_run(recipe: Recipe, tmp_path, whole) -> None:
    run = start(recipe, 2, CPU)
    fit(run, tmp_path / "other.safetensors", steps=recipe.steps)
    assert not torch.equal(state_of(run)["weight.encoder.0.0.weight"], whole["weight.encoder.0.0.weight"])


def test_a_phase_trains_what_it_names_and_nothing_else(recipe: Recipe, tmp_path) -> None:
    run = start(recipe, 0, CPU)
    fit(run, tmp_path / "s", steps=6)
    before = {name: tensor.clone() for name, tensor in run.model.named_parameters()}
    fit(run, tmp_path / "s", steps=recipe.steps)
    moved = [name for name, tensor in run.model.named_parameters() if not torch.equal(tensor, before[name])]
    assert {name.split(".")[0] for name in moved} == {"globals", "prior_heads"}


def test_averages_lag_behind_the_weights_and_are_what_is_shipped(recipe: Recipe, tmp_path) -> None:
    run = start(recipe, 0, CPU)
    first = run.model.state_dict()["encoder.0.0.weight"].clone()
    fit(run, tmp_path / "s", steps=6)
    last, average = run.model.state_dict()["encoder.0.0.weight"], run.averages["encoder.0.0.weight"]
    assert 0 < (average - first).norm() < (last - first).norm()
    assert shipped_weights(run) is run.averages


def test_a_time_budget_stops_and_saves(recipe: Recipe, tmp_path) -> None:
    path = tmp_path / "state.safetensors"
    run = start(recipe, 0, CPU)
    assert not fit(run, path, steps=recipe.steps, minutes=1e-9)
    assert run.step == 0 and load_state(recipe, 0, CPU, path).step == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_the_step_and_saves(recipe: Recipe, tmp_path, whole, number: int) -> None:
    path = tmp_path / "state.safetensors"

    def interrupt(run: Run) -> None:
        if run.step == 3:
            os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    assert fit(start(recipe, 1, CPU), path, steps=recipe.steps, on_step=interrupt)
    assert signal.getsignal(number) is handler
    run = load_state(recipe, 1, CPU, path)
    assert run.step == 3
    fit(run, path, steps=recipe.steps)
    assert_equal_states(state_of(run), whole)


def test_an_interrupt_in_the_last_step_is_one_too(recipe: Recipe, tmp_path) -> None:
    """What follows the last step, measuring, takes minutes: it is not begun."""
    told = lambda run: os.kill(os.getpid(), signal.SIGINT) if run.step == recipe.steps else None  # noqa: E731
    run = start(recipe, 1, CPU)
    assert fit(run, tmp_path / "state.safetensors", steps=recipe.steps, on_step=told) and run.step == recipe.steps


def test_a_second_interrupt_stops_at_once_but_not_one_of_several_ranks() -> None:
    with Interrupt() as alone, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        assert alone.asked
        signal.raise_signal(signal.SIGINT)
    with Interrupt(patient=True) as among_others:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert among_others.asked


def test_a_cpu_counts_its_own_time_alone(recipe: Recipe, tmp_path, monkeypatch) -> None:
    """Another program that has the processor meanwhile is no part of a run's minutes."""

    def wait(run: Run, source: object) -> None:
        time.sleep(0.2)
        run.step += 1

    monkeypatch.setattr(loop, "train_step", wait)
    run = start(recipe, 0, CPU)
    fit(run, tmp_path / "s", steps=2)
    assert run.seconds < 0.2


def test_each_phase_fills_a_bank_of_its_own(recipe: Recipe, tmp_path) -> None:
    """The reader may have learned between them."""
    after = dataclasses.replace(recipe.phases[1], steps=2, objective="prior_loss", bank=8)
    phases = (after, dataclasses.replace(recipe.phases[0], steps=2, learning_rate=constant(1e-3)), after)
    banks = {}
    run = start(dataclasses.replace(recipe, phases=phases), 0, CPU)
    fit(run, tmp_path / "s", steps=6, on_step=lambda run: banks.update({run.step: run.bank}))
    assert banks[1] is banks[2] and banks[3] is banks[4] is None and banks[5] is banks[6] is not None
    first, second = banks[1].tensors, banks[5].tensors
    assert not all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_curve_is_the_mean_over_all_ranks(recipe: Recipe) -> None:
    run = start(recipe, 0, CPU)
    run.sums, run.step = torch.arange(len(run.model.Loss._fields), dtype=torch.float32), 700
    run.ranks = SimpleNamespace(mean=lambda sums: 3 * sums)
    loop._mark(run)
    expected = {name: round(3 * i / loop.CURVE_STEPS, 3) for i, name in enumerate(run.model.Loss._fields)}
    assert run.curve == [{"step": 700, "minutes": 0.0, **expected}] and run.sums is None


def test_states_are_saved_on_the_way(recipe: Recipe, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    seen, path = [], tmp_path / "state.safetensors"
    run = start(recipe, 0, CPU)
    fit(run, path, steps=4, on_step=lambda run: seen.append(path.exists()))
    assert seen == [False, True, True, True]


def test_the_curve_holds_means_and_survives_a_stop(recipe: Recipe, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "CURVE_STEPS", 4)
    whole, path = start(recipe, 1, CPU), tmp_path / "state.safetensors"
    fit(whole, tmp_path / "whole.safetensors", steps=8)
    fit(start(recipe, 1, CPU), path, steps=6)
    run = load_state(recipe, 1, CPU, path)
    fit(run, path, steps=8)
    for a, b in zip(run.curve, whole.curve, strict=True):
        assert {**a, "minutes": 0} == {**b, "minutes": 0}
    assert [point["step"] for point in run.curve] == [4, 8] and run.curve[0]["total"] != run.curve[1]["total"]


@pytest.mark.parametrize("curve_steps", [1, 100])
def test_a_run_that_diverges_stops_unsaved(recipe: Recipe, tmp_path, monkeypatch, curve_steps: int) -> None:
    monkeypatch.setattr(loop, "CURVE_STEPS", curve_steps)
    path = tmp_path / "state.safetensors"
    run = start(recipe, 0, CPU)
    fit(run, path, steps=2)
    with torch.no_grad():
        run.model.glimpse_decoder.net[-1].bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match=r"not finite in .*the gradient at step 3.*is .*\(step 2\)"):
        fit(run, path, steps=4)
    assert load_state(recipe, 0, CPU, path).step == 2
    source, images = recipe.data.source("train"), np.load(tmp_path / "bad_batch.npz")["images"]
    generator = torch.Generator().manual_seed(DATA_SEED)
    batches = [source.batch(4, generator).images.numpy() for _ in range(3)]
    assert (images == batches[2]).all() and not (images == batches[1]).all()


def test_a_state_of_another_run_is_refused(recipe: Recipe, tmp_path) -> None:
    path = tmp_path / "state.safetensors"
    save_state(start(recipe, 1, CPU), path)
    with pytest.raises(CheckpointError, match="begun with seed 1: give --seed 1"):
        load_state(recipe, 2, CPU, path)
    with pytest.raises(CheckpointError, match="begun with other settings"):
        load_state(dataclasses.replace(recipe, ema=0.5), 1, CPU, path)
    with pytest.raises(CheckpointError, match="is a run of 'test-digits4', not of 'other'"):
        load_state(dataclasses.replace(recipe, name="other"), 1, CPU, path)


def test_training_draws_from_the_training_characters(recipe: Recipe, tmp_path, monkeypatch) -> None:
    seen = []
    spy = lambda *arguments: seen.append(arguments) or SceneSource(*arguments)  # noqa: E731
    monkeypatch.setattr(recipe_module, "SceneSource", spy)
    fit(start(recipe, 0, CPU), tmp_path / "s", steps=1)
    assert seen == [("mnist4", "digits", "train", 32, "cpu", "black")]


def test_the_gradient_is_clipped_and_the_learning_rate_scheduled(recipe: Recipe, tmp_path) -> None:
    phase = dataclasses.replace(recipe.phases[0], clip=1e-3)
    run = start(dataclasses.replace(recipe, phases=(phase,)), 0, CPU)
    norms, rates = [], []

    def watch(run: Run) -> None:
        norms.append(torch.stack([p.grad.norm() for p in run.model.parameters()]).norm().item())
        rates.append(run.optimiser.param_groups[0]["lr"])

    fit(run, tmp_path / "s", steps=6, on_step=watch)
    assert norms == pytest.approx([1e-3] * 6, rel=1e-3)
    assert rates == [phase.learning_rate(step) for step in range(6)] and len(set(rates)) > 3


def test_a_finished_run_resumes_to_itself(recipe: Recipe, tmp_path, whole) -> None:
    run = load_state(recipe, 1, CPU, tmp_path / "whole.safetensors")
    assert run.step == recipe.steps and not fit(run, tmp_path / "again.safetensors", steps=recipe.steps)
    assert_equal_states(state_of(run), whole)


@pytest.mark.parametrize("lost", ["average.", "optimiser.3.", "generator.data", "model.encoder", "curve", "step"])
def test_an_incomplete_state_is_refused(recipe: Recipe, tmp_path, lost: str) -> None:
    path = tmp_path / "state.safetensors"
    fit(start(recipe, 1, CPU), path, steps=2)
    tensors, header = read_file(path, "state")
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(lost)}
    plain = {key: value for key, value in header.items() if key not in (lost, *ADDED)}
    assert len(kept) < len(tensors) or lost in header
    write_file(path, "state", kept, **plain)
    with pytest.raises(CheckpointError, match=r"incomplete|another model"):
        load_state(recipe, 1, CPU, path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"device": "cuda"}, "begun on cuda: give --device cuda"),
        ({"threads": 2}, "begun with --threads 2, and others change its bits"),
        ({"seed": None}, "begun with seed None"),
        ({"config": None}, "begun with other settings"),
    ],
)
def test_a_state_of_another_machine_or_run_is_refused(recipe: Recipe, tmp_path, changed: dict, message: str) -> None:
    path = tmp_path / "state.safetensors"
    save_state(start(recipe, 1, CPU), path)
    tensors, header = read_file(path, "state")
    plain = {key: value for key, value in header.items() if key not in ADDED} | changed
    write_file(path, "state", tensors, **{key: value for key, value in plain.items() if value is not None})
    with pytest.raises(CheckpointError, match=message):
        load_state(recipe, 1, CPU, path)


def test_what_a_killed_process_left_of_a_kept_checkpoint_is_cleared(tmp_path) -> None:
    left = tmp_path / FOLDER / ".0000005.safetensors.123.tmp"
    left.parent.mkdir()
    left.touch()
    Keeper(tmp_path, every=5)
    assert not left.exists()


def test_drawing_the_training_set_is_part_of_the_time(recipe: Recipe, tmp_path, monkeypatch) -> None:
    make = type(recipe.data).source

    def slowly(*arguments, **options):
        time.sleep(0.1)
        return make(*arguments, **options)

    monkeypatch.setattr(type(recipe.data), "source", slowly)
    run = start(recipe, 0, CPU)
    assert not fit(run, tmp_path / "s", steps=recipe.steps, minutes=0.1 / 60) and run.step == 0


def test_paths_and_devices_may_be_words_and_the_thread_any(recipe: Recipe, tmp_path, whole) -> None:
    path, ended = str(tmp_path / "state.safetensors"), []
    fit(start(recipe, 1, "cpu", runs=str(tmp_path)), path, steps=6)
    run = load_state(recipe, 1, "cpu", path)
    thread = threading.Thread(target=lambda: ended.append(fit(run, path, steps=recipe.steps)))
    thread.start(), thread.join()
    assert ended == [False]
    save_state(run, path)
    assert_equal_states(state_of(load_state(recipe, 1, CPU, path)), whole)


def test_more_steps_than_the_recipe_has_are_refused_at_once(recipe, tmp_path) -> None:
    run = start(recipe, 0, CPU)
    with pytest.raises(ValueError, match=f"{recipe.steps + 1} steps of .*, which has {recipe.steps}"):
        fit(run, tmp_path / "state.safetensors", steps=recipe.steps + 1)
    assert run.step == 0


def test_a_changed_setting_is_named_with_both_values(recipe, tmp_path) -> None:
    save_state(start(recipe, 0, CPU), tmp_path / "state.safetensors")
    other = rescaled(recipe, batch=2)
    with pytest.raises(CheckpointError, match=r"phases\.0\.batch was \d+, now 2\): give those, or another --out"):
        load_state(other, 0, CPU, tmp_path / "state.safetensors")
