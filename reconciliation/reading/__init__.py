"""In: files of the run and the target. Out: what they hold, read by code that no stage uses."""
