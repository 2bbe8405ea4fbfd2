"""Converted rows become the target's rows: keys resolved, each batch exactly once."""

from load.stage import run

__all__ = ["run"]
