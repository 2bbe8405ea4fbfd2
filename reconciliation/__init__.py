"""Reconciliation: proof, from data read again on both sides, that every row is accounted for."""

from reconciliation.stage import run

__all__ = ["run"]
