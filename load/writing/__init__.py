"""In: batches of target rows. Out: the same rows in the target, each batch once, with its record."""
