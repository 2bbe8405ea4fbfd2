"""Who signed which code list, and whether it is still what was signed: `codes/signed.json`.

Signatures are added, never changed. Each holds what every code became then, so that what changed since can be
named. A signature is an entry of the audit log too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebridge.migrate.code_lists.lines import UsedList, used_lists
from casebridge.project.batch import digest, write_text
from casebridge.project.errors import CasebridgeError, Problem, SpecError, counted, did_you_mean
from casebridge.project.job import Job
from casebridge.project.ledger import now
from casebridge.project.lists import ListTooLargeError, read_list

FILE = "codes/signed.json"
KIND = "code list"
_SHOWN = 8


@dataclass(frozen=True)
class Signature:
    """Somebody's word for a code list: what each code became then."""

    code_list: str
    who: str
    role: str
    at: str
    meanings: Mapping[str, str]


@dataclass(frozen=True)
class ListState:
    """Where a code list stands: the last signature, if there is one, and what changed since, code by code."""

    used: UsedList
    signature: Signature | None
    changes: tuple[str, ...]

    @property
    def signed(self) -> bool:
        """Whether it is what its owner signed."""
        return self.signature is not None and not self.changes

    @property
    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "list": self.used.name,
            "codes": len(self.used.lines),
            "unmapped": self.used.unmapped,
            "used_by": list(self.used.used_by),
            "owners": list(self.used.owners),
            "signed_by": self.signature.who if self.signature else "",
            "signed_at": self.signature.at if self.signature else "",
            "changed_since": list(self.changes),
        }


def read_signatures(folder: Path) -> list[Signature]:
    """All signatures, the oldest first. SpecError when the file is not what we wrote."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        raw = json.loads(read_list(path))
        return [_read(item) for item in raw]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ListTooLargeError) as error:
        hint = "restore it from a backup: it says who signed which list"
        raise SpecError([Problem(FILE, "", "cannot be read as signatures", hint)]) from error


def _read(item: Mapping[str, Any]) -> Signature:
    name, who, role, at = (str(item[key]) for key in ("list", "who", "role", "at"))
    return Signature(name, who, role, at, {str(code): str(target) for code, target in item["meanings"].items()})


def states(job: Job) -> list[ListState]:
    """Where each code list stands that the specs use."""
    last = {signature.code_list: signature for signature in read_signatures(job.folder)}
    made = []
    for name, used in used_lists(job).items():
        signature = last.get(name)
        changes = changed(signature.meanings, used.meanings) if signature else []
        made.append(ListState(used, signature, tuple(changes)))
    return made


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is different between two states of a list, a sentence a code."""
    found = [f"{code}: new, becomes {now[code]}" for code in now if code not in then]
    found += [f"{code}: gone, was {then[code]}" for code in then if code not in now]
    found += [
        f"{code}: was {then[code]}, becomes {now[code]}" for code in now if then.get(code, now[code]) != now[code]
    ]
    return sorted(found)


def sign_list(job: Job, name: str, who: str, role: str) -> Signature:
    """Write down that a list is right, in its owner's name. CasebridgeError when it is somebody else's."""
    lists = used_lists(job)
    if name not in lists:
        raise CasebridgeError(f"no spec uses a code list {name}", hint=did_you_mean(name, lists))
    if not who.strip():
        raise CasebridgeError("nothing was signed: --by is empty", hint="give the owner's name")
    used, who = lists[name], who.strip()
    if used.owners and who.casefold() not in {owner.casefold() for owner in used.owners}:
        hint = "its owner signs it; or name the new owner in the list's `owner` column first"
        raise CasebridgeError(f"{name} is owned by {', '.join(used.owners)}", hint=hint)
    signature = Signature(name, who, role.strip(), now(), used.meanings)
    items = [*read_signatures(job.folder), signature]
    text = json.dumps([_as_json(item) for item in items], ensure_ascii=False, indent=1)
    of_what = digest(sorted(signature.meanings.items()))
    job.audit_log(writing=True).note(KIND, list=name, who=who, role=signature.role, sha256=of_what)
    write_text(job.folder / FILE, text + "\n")
    return signature


def _as_json(item: Signature) -> dict[str, Any]:
    return {"list": item.code_list, "who": item.who, "role": item.role, "at": item.at, "meanings": item.meanings}


def notes(found: Sequence[ListState]) -> Iterator[str]:
    """What `check` says of the lists: which nobody signed, which changed since."""
    unsigned = [state.used.name for state in found if state.signature is None]
    if unsigned:
        more = " …" if len(unsigned) > _SHOWN else ""
        what = "are not signed" if len(unsigned) > 1 else "is not signed"
        lists = counted(len(unsigned), "code list")
        yield f"{lists} {what} by an owner (`casebridge codes --sign LIST`): {', '.join(unsigned[:_SHOWN])}{more}"
    for state in found:
        if state.signature and state.changes:
            more = f" and {len(state.changes) - _SHOWN} more" if len(state.changes) > _SHOWN else ""
            what = "; ".join(state.changes[:_SHOWN])
            signed = f"{state.signature.who} signed it on {state.signature.at[:10]}"
            yield f"code list {state.used.name} changed since {signed}: {what}{more}"
