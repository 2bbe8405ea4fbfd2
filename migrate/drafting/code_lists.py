"""Code lists of a draft: each code becomes itself until somebody who owns the list says otherwise."""

from __future__ import annotations

import csv
import io

from casebridge.migrate.drafting.tables import Codes
from casebridge.transform.codes import COLUMNS

ROWS = "rows"
"""How many rows held the code when the line was made. For people; nothing reads it."""


def code_list_text(codes: Codes) -> str:
    """A code list as CSV, the commonest code first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS, ROWS], restval="", lineterminator="\n")
    writer.writeheader()
    for code, rows in sorted(codes.rows.items(), key=lambda item: (-item[1], item[0])):
        writer.writerow({"legacy_code": code, "target_code": code, "status": "mapped", ROWS: rows})
    return out.getvalue()
