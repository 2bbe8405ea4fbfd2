"""In: clean rows and the crosswalk. Out: rows of the target, legacy keys replaced by ids. Touches no database."""
