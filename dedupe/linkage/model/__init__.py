"""In: counts of comparison patterns. Out: a fitted mixture: m and u probabilities by relation, priors, calibration."""
