"""Converted rows become the target's rows: keys resolved, each batch exactly once."""

from casebridge.load.before import check_target
from casebridge.load.needed import files_needed
from casebridge.load.resolution.every_key import every_key
from casebridge.load.rollback import rollback
from casebridge.load.stage import ask_again, run

__all__ = ["ask_again", "check_target", "every_key", "files_needed", "rollback", "run"]
