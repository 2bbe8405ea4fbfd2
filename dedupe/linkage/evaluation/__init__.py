"""In: a linkage, and the truth where it is known. Out: warnings, measures and charts of how good it is."""
