"""Where images come from: single characters, and scenes of several."""

from neurosym_lite.data.glyphs import Glyphs, glyphs

__all__ = ["Glyphs", "glyphs"]
