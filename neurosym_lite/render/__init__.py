"""From symbols to pixels: differentiable, batched, and without anything to learn."""
