"""Where images come from: single characters, scenes of several, rooms with arrows."""

from neurosym_lite.data.glyphs import Glyphs, glyphs

__all__ = ["Glyphs", "glyphs"]
