"""Writers of the pages that are made from run records, and of the pictures on them; words apart from numbers."""
