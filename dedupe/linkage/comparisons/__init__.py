"""In: two `PairSide`s, the rows on either side of a batch of pairs. Out: one level a pair for each comparison."""
