"""In: a `Register`. Out: the pairs of rows that are worth comparing, by rules that share a key."""
