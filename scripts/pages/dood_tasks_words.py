"""The words of book/dood_tasks.md. They hold no number of ours."""

INTRODUCTION = """# Tasks for a drawer

DooD was trained to draw again what it sees. Its authors then gave it tasks that it was never trained for
{cite:p}`liang2022dood`. {doc}`Chapter 10 </notebooks/10_tasks>` explains them one by one. Each of our numbers leads
to the record that it comes from; the runs are those of {doc}`transfer`, at 28 pixels, and `dood-omniglot-lite`.
"""

CLUSTERS = """## Figure 5: kinds of strokes

Parts that a model draws, those before its stop, of test characters of the set that it learned: {parts} of them where
there are so many. Codes are a stroke's control points in its frame (DooD) or z_what (AIR), ten numbers each, in
{kinds} clusters by k-means. The silhouette, with the mean number of parts a character in brackets. *Shuffled*: the
same numbers, each of the ten in an order of its own, so that no part is left whole: what k-means finds all the same.
"""

CLUSTERS_PUBLISHED = """Published, on MNIST: {dood} for DooD, {air} for Difference-AIR (which the paper calls
AIR). Where a model draws a whole character as one part, its clusters are kinds of characters: the number
in brackets says so.
"""

CLUSTERS_AHEAD = """DooD is above AIR by {margin} or more on {ahead}, and above Difference-AIR by as much on
{difference}.
"""

SAMPLES = """## Figure 6: drawings from nothing

The Fréchet distance between {samples} drawings from a model's prior and as many characters of the set that it learned,
in the {features} features of a small classifier that was trained here on all five sets ("FD on LeNet features"; its
record is {record}). It must not be set beside the paper's distances, whose network is another. The floor is what as
many other characters of the set get. *Narrowed* is DooD drawn as the paper drew its figure: standard deviations of the
shift and of control points are a tenth of the model's, those of scale and rotation {shape} of it.
"""

SAMPLES_AHEAD = """DooD, not narrowed, is nearer to real characters than AIR on {ahead}, and than Difference-AIR on
{difference}.
"""

COIN = """The coin of AIR and Difference-AIR is fixed in the prior, as in the paper's code: half of their drawings are
empty. In the last two rows they draw as many parts as they read in real characters, with no coin.
"""

PICTURES = """```{figure} _static/tasks_samples.png
:name: fig-tasks-samples
:alt: Three characters of each set, and three drawings by each model: DooD's of clean lines, many of AIR's empty.

Characters to learn from, and what each model imagines. Nothing was chosen.
```

## Figure 7: by another hand

Characters of alphabets that the model has not seen are read; the strokes that were read get the paper's noise, on
control points and on one affine map of all of them (it turns by as much as the paper's code means to).

```{figure} _static/tasks_tokens.png
:name: fig-tasks-tokens
:alt: Ten characters, the same as read, and five new exemplars of each, bent and leaning in different ways.

As written, as read, and five tokens. Nothing was chosen.
```

## Figure 8: going on

The first half of the strokes that were read is given, as pixels alone. The model reads these, and its prior goes on: a
stroke at least, six with those that were read at most.

```{figure} _static/tasks_completions.png
:name: fig-tasks-completions
:alt: Ten characters, the part of each that was given, and ten drawings that contain it, all different.

As written, the part that was given, and ten ways to go on. Nothing was chosen.
```
"""

ONE_SHOT = """## Table 1: one drawing of each, and then a name

Twenty characters of an alphabet that the model has not seen, each drawn once by one person, and the same characters
drawn by another: which is which? There are twenty official episodes {cite:p}`lake2015bpl`. Nobody tells the model a
stroke or a class.

Every drawing is read several times, the strokes are moved by gradient until they draw it well, and the best reading
is kept. Then the strokes of each support are laid onto each query: an affine map of them all, and a small move of
each control point for itself, again by gradient. Half of what the moves cost under their priors is taken off the log
likelihood. Settings were chosen on episodes of the background set alone, of any alphabet but Braille, whose
characters are dots.

- **one way**: a query goes to the support whose strokes draw it best, as in the paper.
- **both ways**: the query's strokes have to draw the support too, as in BPL and GNS; how well the *other supports'*
  strokes draw it is taken off, since some drawings are easy for everybody. The way back counts half.
- **together**: the way back counts in full, and *all queries'* strokes say how easy a support is. So a query is named
  with the others in sight. That is another task, and an easier one; the published numbers are not of that kind.

Percent of queries named rightly, with the standard error over episodes.
"""

STROKES = """### Ours

At 28 pixels. *Pictures* are the control: no strokes, but the same maps, priors and steps, with pixels to move, and
the settings that were chosen for strokes; they are compared a little blurred, since sharp pictures that lie a pixel
apart have nothing in common. The difference between the first two rows of a column is what strokes add: that they are
strokes, and that each of their points may move a little. AIR and Difference-AIR have no strokes to move: what they
redraw is laid as a picture. The last column has the background episodes that the settings were chosen on: any alphabet
that is large enough, and any two people.
"""

PLAINER = """Plainer ways to compare two pictures, one way: {pixels} by the distance of pixels, {blurred} of blurred
ones, {moments} with centre and size made alike.

The official episodes were looked at twice. The first time *both ways* and *together* were one measure; seeing how much
the other queries gave away, we split it. In between one setting came in, the weight of the way back, chosen on the
background episodes as all others.
"""

PUBLISHED = """### Published

DooD's authors work at 50 pixels, with a narrower prior on moves and another fit. The last three have further
supervision, and the last two are scored both ways.
"""
