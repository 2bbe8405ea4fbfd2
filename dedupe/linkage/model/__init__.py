"""In: counts of comparison patterns. Out: a fitted mixture: m and u by relation, priors, calibration."""
