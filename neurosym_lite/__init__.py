"""neurosym_lite: neuro-symbolic generative models, small enough to read and real enough to train.

The rooms, in the order in which imports may point:

- `latents`, `distributions`, `layers`: the vocabulary, what is drawn, what is learned
- `render`: from symbols to pixels
- `models`: the papers' models
- `data`: characters and scenes
- `training`: recipes, the loop, checkpoints, run records
- `evaluation`: what a trained model is worth
- `figures`, `widgets`, `classroom`: what the book shows and what it asks
- `commands`: what `python -m neurosym_lite` does
"""

__version__ = "0.1.0"
