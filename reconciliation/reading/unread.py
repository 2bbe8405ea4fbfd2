"""The files of the dump that no spec reads, as extract wrote them down."""

from __future__ import annotations

import json

from casebridge.project.job import Job


def unread_files(job: Job) -> list[dict[str, str]]:
    """System and name of each file; none where extract's record says nothing of them."""
    path = job.work / "extract" / f"{job.run}-manifest.json"
    try:
        unread = json.loads(path.read_text(encoding="utf-8")).get("unread", {})
    except (OSError, ValueError):
        return []
    return [{"system": system, "file": str(name)} for system in sorted(unread) for name in sorted(unread[system])]
