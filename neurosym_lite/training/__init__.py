"""From a recipe to a trained model: recipes, schedules, the loop, checkpoints, run records."""
