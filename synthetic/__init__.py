"""A made-up council's CareFirst, with the truth known. Imports nothing of the migration."""

from casebridge.synthetic.dump import Summary, make_council

__all__ = ["Summary", "make_council"]
