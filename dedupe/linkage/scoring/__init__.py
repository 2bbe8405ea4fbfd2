"""In: candidate pairs and the fitted model. Out: p and relation of every pair that is kept."""
