"""The list of runs that the book waits for is true."""

from neurosym_lite.training.recipes import RECIPES
from scripts.training_list import PAGE, is_waiting, training_list


def test_the_list_is_what_the_recipes_and_records_say() -> None:
    assert PAGE.read_text() == training_list()


def test_every_recipe_is_either_waiting_or_done() -> None:
    text = training_list()
    waiting, done = text.split("## Done")
    for recipe in RECIPES.values():
        assert (f"`{recipe.name}`" in waiting) == is_waiting(recipe) == (f"`{recipe.name}`" not in done)
