"""In: what was read again on both sides. Out: the books, a place and a cause for every source row, controls."""
