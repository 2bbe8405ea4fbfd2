"""The nightly scan: what changed in the live register since last time, and who may be there twice now."""
