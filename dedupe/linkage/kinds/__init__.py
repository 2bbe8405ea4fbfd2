"""Kinds of entity: one declaration each. People are read, compared and blocked by `PERSON` and by nothing else."""
