"""Source rows become target rows, or stay behind with a reason."""

from casebridge.transform.stage import run

__all__ = ["run"]
