"""The words of book/dood_tasks.md. They hold no number of ours."""

INTRODUCTION = """# Tasks for a drawer

DooD was trained to draw again what it sees. Its authors then gave it tasks that it was never trained for
{cite:p}`liang2022dood`. Measured so far: one-shot classification (their table 1). Each of our numbers leads to the
record that it comes from.
"""

ONE_SHOT = """## Table 1: one drawing of each, and then a name

Twenty characters of an alphabet that the model has not seen, each drawn once by one person, and the same characters
drawn by another: which is which? There are twenty official episodes {cite:p}`lake2015bpl`. Nobody tells the model a
stroke or a class.

Every drawing is read several times, the strokes are moved by gradient until they draw it well, and the best reading
is kept. Then the strokes of each support are laid onto each query: an affine map of them all, and a small move of
each control point for itself, again by gradient. What the moves cost under their priors is taken off the log
likelihood. Settings were chosen on episodes of the background set alone, of any alphabet but Braille, whose
characters are dots.

- **one way**: a query goes to the support whose strokes draw it best, as in the paper.
- **both ways**: the query's strokes have to draw the support too, as in BPL and GNS; how well the *other supports'*
  strokes draw it is taken off, since some drawings are easy for everybody. The way back counts half.
- **together**: the same, but here the *other queries'* strokes say how easy a support is. So all queries are named at
  once, and each takes a support for itself. That is another task, and an easier one; the published numbers are not of
  that kind.

Percent of queries named rightly, with the standard error over episodes.
"""

STROKES = """### Ours

At 28 pixels. *Pictures* are the control: no strokes, but the same maps, priors and steps, with pixels to move, and
the settings that were chosen for strokes. The difference between the two rows of a column is what strokes are good
for. The last column has the background episodes that the settings were chosen on: any alphabet that is large enough,
and any two people.
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
