"""The words of book/representations.md. They hold no number of ours."""

INTRODUCTION = """# Boxes, codes and rooms

What is a symbol map good for, beside imagining scenes? GNM's authors measured two things: whether the boxes are where
the objects are, and whether the code of an object's looks says what the object is (table 4 of {cite:p}`jiang2020gnm`).
They held GNM against SPACE {cite:p}`lin2020space`, a model made for seeing alone. Below stand their numbers and ours,
and what became of the Arrow Room, where the boxes have colour, depth and a ground to stand out from.

Each of our numbers leads to the run record that it comes from. A row without one says so.
"""

TABLE_4 = """## Table 4: boxes and codes

- **AP 0.5**: average precision of the boxes, where a box counts that overlaps the true one by half (intersection over
  union); the mean of the precision at eleven recalls, ranked by the probability of presence, as SPACE's authors count.
  A true box is the square core that a digit was pasted as. A model that finds all but a few objects can reach all
  recalls but the last, so a score just above nine tenths only says that the recall lies between nine tenths and one.
- **AP 0.5 to 0.95**: the mean over ten overlaps. The paper does not say whether its true boxes are cores or ink.
- ***z*_what**: accuracy of a classifier with one hidden layer that reads the digit off the mean of *z*_what alone,
  learnt on scenes of training digits, scored on scenes of test digits. Beside it the vote of the five nearest codes.
- **objects**: boxes found a scene, and the share of scenes with the right number of them.

The published models are of the paper's size, at 128 pixels. Ours are the lite ones, at 64, and GNM trained in
stages, on the paper's canvas.
"""

ROOMS = """## Arrow Room

Scenes by `python -m neurosym_lite data arrow-room`, drawn by our own renderer after the paper's description; the
paper's were made with Blender and not published with a generator. Structure accuracy is judged by a parser that reads
solids off pixels (`data/parsers/parser-arrow-room.json`), trained on rooms without structure. The paper judged by eye.

```{{figure}} _static/arrow_room.png
:name: fig-arrow-room
:alt: {alt}

Rooms by our renderer (first and third row) and the same rooms by Blender's path tracer (below each).
```

Root mean squared difference between the two, of pixels from nought to one, over {rooms} rooms: {metal} on metal
solids, {rubber} on rubber ones, {ground} on the ground (`scripts/blender_arrow_room.py`).

- **S-Acc**, ***t***: share of imagined rooms that obey the grammar, and of the model's own reconstructions of real
  rooms. The parser that judges accepts {accepts} of real rooms, and of rooms that are broken in one way {broken} at
  most.
- **swept**: S-Acc after two sweeps of pseudo-Gibbs (chapter 4): not ancestral sampling.
- **the parts**: shares of imagined rooms with four solids; with an arrow, twins and an odd one; of one material; with
  the arrow nearest to the camera, and with it pointing at the odd one, both only where the shapes are right.
- **objects**, **AP 0.5**: as above, against the smallest boxes around what is seen of a solid.
- **covered**: share of the solids' pixels, and of the ground's, that objects cover by more than half.
- **behind**: mean squared error of the background alone, where solids stand, against the empty room.
- ***z*_what**: shape, colour and material read off the code, as above.
"""

CURRICULUM = """### With the curriculum, and without

The same model, the first stage of training alone, and shorter. With the curriculum, in the released code's form, the
picture is at first nine tenths objects, whatever the background paints; without it the background has its full share
from the start. All else is the same, the falling price of $z_b$ too.
"""

SUCCESSOR = """## A successor

A small model of what came after GNM: GNM reads a scene, its objects become tokens, and a transformer over lists of
objects takes the place of the prior of *z*_g (`neurosym_lite/models/successor.py`). Samples of both are ancestral, and
judged by the same parsers.

- **S-Acc**, ***t***: share of imagined scenes that obey the rule, and of the model's own reconstructions.
- **second**: the same samples by the second parser.
- **spread**: standard deviation of a pixel among the digits of a class, in accepted scenes.
- **D-Steps**, **Fréchet**: as on the page of GNM's experiments.
"""

ALT_ROOMS = (
    "Four rows of grey rooms with coloured spheres, cubes, cylinders and arrows. Each room of the second and fourth "
    "row looks like the one above it; the metal solids' highlights are a little broader there."
)
