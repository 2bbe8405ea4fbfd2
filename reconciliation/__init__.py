"""Reconciliation: proof, from data read again on both sides, that every row is accounted for."""

from casebridge.reconciliation.stage import run, still_holds

__all__ = ["run", "still_holds"]
