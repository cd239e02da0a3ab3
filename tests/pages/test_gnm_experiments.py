"""The page on GNM's experiments: every number is from a record, and says which."""

import json
import math
import re

import pytest
from PIL import Image

from neurosym_lite.training.recipes import RECIPES
from scripts.pages import cells
from scripts.pages import gnm_experiments as found
from scripts.pages import gnm_experiments_few as few
from scripts.pages import gnm_experiments_page as experiments
from scripts.pages import gnm_experiments_pictures as pictures
from scripts.pages import gnm_experiments_seeds as seeds
from scripts.pages import gnm_experiments_words as words
from scripts.pages.cells import NOT_RUN
from scripts.pages.records import PUBLISHED, RECORDS, load_again, load_records, runs_of

NAMES = re.compile(  # what has a digit in its name: data sets, models, tables and figures, symbols, files and code
    r"MNIST-4-10|MNIST-4|MNIST-10|[Tt]ables? 1, 2, 3 and 5|[Tt]able \d|[Ff]igure \d|(?:GNM|ConvDRAW)-8(?:-beta-\d+)?"
    r"|(?:GNM|ConvDRAW)-beta-\d+|Chapter \d|[Bb]eta \d+|95 %|figure_4|\(\.\./data/[^)]*\)|`[a-z0-9-]+`|jiang2020gnm"
)


def nowhere(value):
    """The same data with NaN for each number."""
    if isinstance(value, dict):
        return {key: nowhere(part) for key, part in value.items()}
    if isinstance(value, list):
        return [nowhere(part) for part in value]
    return math.nan if isinstance(value, int | float) else value


def controls() -> dict:
    return json.loads(experiments.CONTROLS.read_text(encoding="utf-8"))


def run(recipe: str, seed: int = 0, **metrics: float) -> dict:
    return {"recipe": recipe, "seed": seed, "metrics": metrics, "file": f"{recipe}-{seed}.json"}


def test_the_page_is_what_the_records_say() -> None:
    assert experiments.PAGE.read_text(encoding="utf-8") == experiments.current_page(), "run `make results`"


def test_no_number_is_typed(monkeypatch, spread_of_nan) -> None:
    """With all records, tables and counts turned to NaN no digit is left but in names."""
    records, again = [
        [
            record | {key: nowhere(record[key]) for key in ("metrics", "curve", "minutes", "steps")}
            | {"seed": "abcdefgh"[record["seed"]], "device": re.sub(r"\d", "", record["device"])}
            for record in found
        ]
        for found in (load_records(), load_again())
    ]  # fmt: skip
    monkeypatch.setattr(seeds, "stdev", lambda values: math.nan)
    monkeypatch.setattr(experiments, "count", lambda config: math.nan)
    monkeypatch.setattr(pictures, "BETAS", {m: {math.nan: line[1]} for m, line in pictures.BETAS.items()})
    monkeypatch.setattr(pictures, "BETAS_TEN", {m: {math.nan: line[1]} for m, line in pictures.BETAS_TEN.items()})
    monkeypatch.setattr(pictures, "SETS", {math.nan: next(iter(pictures.SETS.values()))})
    published = nowhere(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    text = experiments.page(records, again, published, nowhere(controls()))
    assert "both machines" in text
    counted = r"over \d+ runs|\d+ of the runs|a bank of [\d,]+ scenes|the last [\d,]+ steps|at 128 pixels"
    counted += r"|where the lite one has [\d,]+|of [\d,]+ steps(?= where)"
    text = re.sub(counted, "", text)  # runs, or by the recipe
    left = [line for line in NAMES.sub("", text).splitlines() if re.search(r"\d", line)]
    assert left == [] and "nan" in text


def test_every_number_of_ours_leads_to_a_file() -> None:
    page = experiments.PAGE.read_text(encoding="utf-8")
    targets = set(re.findall(r"\(\.\./data/results/([^)]+)\)", page))
    assert targets and all((RECORDS / target).is_file() for target in targets)


def test_rows_of_the_tables_are_recipes() -> None:
    gnm = json.loads(PUBLISHED.read_text(encoding="utf-8"))["gnm"]
    for key in words.TABLES:
        for dataset, rule in found.RULES.items():
            assert all(found.recipe_name(row, rule) in RECIPES for row in gnm[key].get(dataset, ())), (key, dataset)
    assert all(found.recipe_name(row, "mnist4") in RECIPES for row in words.ABLATED)
    shown = [name for line in (*pictures.BETAS.values(), pictures.SETS) for name in line.values()]
    assert set(shown) <= RECIPES.keys()


def test_seeds_become_mean_and_spread_and_each_is_there() -> None:
    runs = [run("gnm-mnist4-lite", seed, frechet=value) for seed, value in enumerate((0.2, 0.4, 0.3))]
    said = cells.cell(runs_of("gnm-mnist4-lite", runs[::-1]), "frechet")
    assert said.startswith("0.3 ±\N{NO-BREAK SPACE}0.1 ([0.2](../data/results/gnm-mnist4-lite-0.json), ")
    assert cells.cell([], "frechet") == NOT_RUN


def test_a_number_says_how_sure_it_is_where_that_was_measured() -> None:
    shares = {"structure_accuracy": 0.9, "structure_low": 0.88, "structure_high": 0.92, "structure_spread": 0.1}
    one = run("gnm-mnist4-lite", **shares, structure_true_accept=0.8, likelihood=5257.4, likelihood_error=2.857)
    beside = {
        "structure_accuracy": "[0.900]{} (0.880 to 0.920)", "structure_true_accept": "[0.8]{}",
        "structure_spread": "[0.1]{}", "likelihood": "[5,257]{} ±\N{NO-BREAK SPACE}2.9",
    }  # fmt: skip
    for key, said in beside.items():
        assert cells.measured(one, key) == said.format("(../data/results/gnm-mnist4-lite-0.json)")
    one["metrics"] |= {"structure_true_low": 0.78, "structure_true_high": 0.82}
    assert cells.measured(one, "structure_true_accept").endswith(" (0.780 to 0.820)")


def test_a_cap_is_no_number_of_steps() -> None:
    about = {"d_steps_cap": 2000, "d_steps_low": 900.0, "d_steps_high": 2000.0}
    runs = [run("vae-mnist4-lite", seed, d_steps=value, **about) for seed, value in enumerate((2000.0, 900.0, 2000.0))]
    cap = f"{cells.AT_LEAST}2,000"
    assert cells.steps(runs[:1]) == f"[{cap}](../data/results/vae-mnist4-lite-0.json) (900 to {cap})"
    assert re.findall(r"\[(.*?)\]", cells.steps(runs)) == [cap, "900", cap]
    assert cells.steps([]) == NOT_RUN


@pytest.mark.parametrize(
    ("gnm", "said"),
    [
        (0.9, "GNM > VAE. GNM first: yes, as published"),
        (0.1, "VAE > GNM. GNM first: no, other than published"),
        (0.5, "GNM = VAE. GNM first: no, other than published"),
    ],
)
def test_the_verdict_is_the_order_that_was_measured(gnm: float, said: str) -> None:
    records = [run("gnm-mnist4-lite", structure_accuracy=gnm), run("vae-mnist4-lite", structure_accuracy=0.5)]
    verdict = experiments.verdict("mnist4", ["GNM", "VAE"], records)
    assert f"- structure accuracy: {said}" in verdict and f"- D-Steps: {NOT_RUN}. GNM first: " in verdict
    assert words.UNDECIDED in verdict.splitlines()[3] and words.UNDECIDED not in verdict.splitlines()[2]


def test_a_claim_that_fails_is_said_before_all_are_run() -> None:
    records = [run("gnm-mnist4-lite", d_steps=100), run("convdraw-mnist4-lite", d_steps=400)]
    said = experiments.verdict("mnist4", ["GNM", "ConvDRAW", "VAE"], records).splitlines()[3]
    assert said.startswith(f"- D-Steps: ConvDRAW > GNM. GNM first: {words.FAILS}. The number says when")


def test_a_claim_is_asked_of_every_seed() -> None:
    records = [run("gnm-mnist4-lite", seed, d_steps=value) for seed, value in enumerate((100, 2000))]
    records += [run("vae-mnist4-lite", d_steps=400)]
    said = experiments.verdict("mnist4", ["GNM", "VAE"], records).splitlines()[3]
    assert said.startswith(f"- D-Steps: GNM > VAE. GNM first: {words.DEPENDS}. The number says when")


def test_at_the_cap_nothing_is_ranked() -> None:
    at = {"d_steps_cap": 2000}
    records = [run("vae-mnist4-lite", d_steps=2000, **at), run("convdraw-mnist4-lite", d_steps=400, **at)]
    first = [run("gnm-mnist4-lite", seed, d_steps=value, **at) for seed, value in enumerate((2000, 100))]
    rows = ["GNM", "ConvDRAW", "VAE"]
    assert found.standing("GNM", 0, rows, "mnist4", "d_steps", records + first) == [False]
    assert found.standing("GNM", 0, rows[:2], "mnist4", "d_steps", records + first) == [True, False]
    said = experiments.verdict("mnist4", rows, records + first).splitlines()
    assert "where nothing can be ranked: GNM, VAE." in said[3] and "ranked" not in said[2]
    tied = experiments.verdict("mnist4", rows, records + first[:1]).splitlines()[3]
    assert tied.endswith(f"GNM first: {words.TIED}. {words.CAPPED.format(rows='GNM, VAE')}")


@pytest.mark.parametrize("rule", found.RULES.values())
def test_genesis_redraws_worse_than_any_other_model(rule: str) -> None:
    """As the page says where it gives the reason for the order of likelihoods."""
    rows = ("GNM", "ConvDRAW", "ConvDRAW-8", "VAE")
    runs = {row: runs_of(found.recipe_name(row, rule), load_records()) for row in (*rows, "GENESIS")}
    if not runs["GENESIS"]:
        pytest.skip(f"GENESIS was not run on {rule}")
    others = [run["metrics"]["mse"] for row in rows for run in runs[row]]
    assert others and all(run["metrics"]["mse"] > max(others) for run in runs["GENESIS"])


def test_a_larger_beta_is_said_to_do_what_it_did() -> None:
    def at(beta: int, structure: float, likelihood: float) -> dict:
        about = {"structure_low": structure - 0.02, "structure_high": structure + 0.02, "likelihood_error": 3.0}
        return run(f"gnm-beta{beta}-mnist4-lite", likelihood=likelihood, **about)

    once, again = [at(1, 0.5, 900), at(3, 0.9, 800)], at(3, 0.9, 800) | {"seed": 1}
    assert words.ONCE in experiments.by_beta_said(once) and words.ONCE not in experiments.by_beta_said([*once, again])

    for ends, wanted in (((0.5, 900, 0.9, 800), "accuracy rises, likelihood falls"),
                         ((0.9, 800, 0.5, 900), "accuracy falls, likelihood rises"),
                         ((0.5, 900, 0.53, 905), f"accuracy {words.SAME}, likelihood {words.SAME}")):  # fmt: skip
        assert wanted in experiments.by_beta_said([at(1, *ends[:2]), at(3, *ends[2:])])
    assert experiments.by_beta_said([at(1, 0.5, 900)]) == ""


def test_the_lowest_sets_are_named_where_they_lie_between_the_smallest_and_none() -> None:
    def said(*structure: float) -> str:
        names = [*list(pictures.SETS.values())[:3], "gnm-mnist4-lite"]
        runs = [
            run(name, structure_accuracy=value, structure_low=value - 0.03, structure_high=value + 0.03)
            for name, value in zip(names, structure, strict=True)
        ]
        return few.lowest_said(runs)

    assert "are of 300 scenes. " in said(0.8, 0.5, 0.7, 0.9)
    assert "are of 300 and 1,000 scenes. " in said(0.8, 0.55, 0.5, 0.9)
    assert said(0.5, 0.8, 0.8, 0.9) == said(0.9, 0.8, 0.8, 0.5) == few.lowest_said([]) == ""
    assert said(0.55, 0.5, 0.8, 0.9) == said(0.9, 0.5, 0.8, 0.55) == ""


def test_sets_that_were_learned_by_heart_are_named() -> None:
    small, large = list(pictures.SETS.values())[:2]
    copied = {small: {"copied": 0.97, "copied_error": 0.04}, large: {"copied": 0.55, "copied_error": 0.03}}
    said = few.copies_said(copied)
    assert "Learned by heart: the sets of 100 scenes." in said and "twice the error: 300 scenes." in said
    half_way = few.copies_said({small: {"copied": 0.7, "copied_error": 0.03}})
    assert "Copied in part: 100 scenes." in half_way and words.NO_COPIES[:9] not in half_way
    assert few.copies_said({}) == ""


def test_the_pictures_show_the_records() -> None:
    records = load_records()
    files = ["figure_4", "scenes"] if pictures.has_scenes(records) else ["figure_4"]
    assert sorted(path.stem for path in pictures.PICTURES.glob("*.png")) == files
    for name in files:
        with Image.open(pictures.PICTURES / f"{name}.png") as picture:
            assert picture.info[pictures.FINGERPRINT] == pictures.fingerprint(records, controls()), "run `make results`"


def test_trainings_are_ordered_by_what_their_code_says_and_related_to_structure() -> None:
    def trained(seed: int, spoken: float, structure: float, device: str = "cpu, 1 thread") -> dict:
        about = {"structure_accuracy": structure, "likelihood": 10.0 * structure, "likelihood_error": 1.0}
        curve = [{"step": 100, "kl_global": 999.0, "kl_where": 0.0}]
        curve += [{"step": step, "kl_global": spoken, "kl_where": 40 - spoken} for step in range(200, 1200, 100)]
        return run("gnm-mnist4-lite", seed, **about) | {"curve": curve, "device": device}

    runs = [trained(0, 12.0, 0.6, "a GPU"), trained(1, 5.0, 0.9), trained(2, 8.0, 0.8)]
    said = seeds.section(runs, [], {"copied": {}})
    order = [line.split(" | ")[1] for line in said.splitlines() if line.startswith("| `gnm")]
    assert order == ["1", "2", "0"] and "[12.0]" in said and "| a GPU |" in said
    assert "over 3 runs: the KL of places -1.00, structure accuracy -1.00, likelihood -1.00." in said
    assert "the cells pay 1.0 ± 0.0 less for places" in said and "both machines" not in said
    silent = seeds.section([trained(0, 12.0, 0.9), trained(1, 5.0, 0.6), trained(2, 8.0, 0.8)], [], {"copied": {}})
    assert "the cells pay" not in silent
    assert NOT_RUN in seeds.section(runs[:1], [], {"copied": {}})


def test_two_machines_are_compared_by_the_spread_of_their_seeds() -> None:
    def trained(seed: int, spoken: float, structure: float, device: str) -> dict:
        about = {"structure_accuracy": structure, "likelihood": 1.0, "likelihood_error": 1.0}
        curve = [{"step": 100, "kl_global": spoken, "kl_where": 1.0}]
        return run("gnm-mnist4-lite", seed, **about) | {"curve": curve, "device": device}

    cpu = [trained(seed, *pair, "cpu, 1 thread") for seed, pair in enumerate([(5.0, 0.9), (7.0, 0.8), (9.0, 0.1)])]
    gpu = [trained(seed, *pair, "a GPU") for seed, pair in enumerate([(6.0, 0.9), (8.0, 0.7)])]
    said = seeds.section(cpu, gpu, {"copied": {}})
    assert "2 of the runs were trained on both machines" in said and words.ALIKE in said
    assert "0.85 ±\N{NO-BREAK SPACE}0.071 on the CPU and 0.8 ±\N{NO-BREAK SPACE}0.14 on the GPU" in said
    assert said.count("| a GPU |") == 2
    far = [trained(seed, spoken, 0.3, "a GPU") for seed, spoken in enumerate((6.0, 8.0))]
    assert words.UNLIKE in seeds.section(cpu, far, {"copied": {}})
    assert "both machines" not in seeds.section(cpu, gpu[:1], {"copied": {}})


def test_gnm_of_the_paper_s_size_stands_beside_the_published_one() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))["gnm"]["table_1"]
    recipe = RECIPES["gnm-staged-mnist4"]
    whole = run(recipe.name, structure_accuracy=0.5) | {"steps": recipe.steps, "minutes": 8.29, "device": "a GPU"}
    said = experiments.staged_section(published, "mnist4", [whole])
    assert "| GNM, published | 0.984 |" in said and "| **GNM, in stages**, ours | [0.5]" in said
    assert "70,000 steps where the lite one has 33,000, 8.3 minutes" in said and "stopped" not in said
    cut = experiments.staged_section(published, "mnist4", [whole | {"steps": 9}])
    assert "stopped after 9 of 70,000 steps" in cut
    assert experiments.staged_section(published, "mnist10", [whole]) == ""


def test_these_trainings_had_one_schedule() -> None:
    names = seeds.names({"copied": {}})
    assert len(names) == 9 and all(RECIPES[name].phases == RECIPES["gnm-mnist4-lite"].phases for name in names)


def test_what_table_3_turns_is_said_by_intervals() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))["gnm"]["table_3_mnist_4_10"]

    def read(stem: str, low: float, high: float) -> dict:
        return run(f"{stem}-mnist4-10-lite", structure_low=low, structure_high=high)

    records = [read("gnm", 0.4, 0.5), read("gnm-8steps", 0.55, 0.6), read("gnm-beta1", 0.4, 0.5)]
    said = experiments.turned(published, "mnist_4_10", "mnist4-10", [*records, read("gnm-beta2", 0.45, 0.55)])
    assert f"- Eight drawing steps: 0.692 to 0.852; ours {words.RISES}." in said
    assert f"- Beta 2: 0.692 to 0.916; ours {words.SAME}." in said
    assert f"- Beta 10 for ConvDRAW: 0.000 to 0.560; ours {NOT_RUN}." in said
