"""In: a register as it was last linked, and records that changed. Out: what these do to pairs and clusters."""
