"""Registers beside people in a project that only scans: the pack's own, or a draft from the names of columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from casebridge.dedupe.scan.config import ScanConfig
from casebridge.migrate.drafting.names import quoted, toml_key
from casebridge.migrate.profiling.headings import bare_word
from casebridge.project.relations import Relation

_TABLES = re.compile("organi[sz]ation|supplier|provider|agenc")
_ROLES: Mapping[str, frozenset[str]] = {
    "name": frozenset({"name", "organisationname", "suppliername", "providername", "agencyname", "orgname"}),
    "supplier_number": frozenset(
        {"suppliernumber", "supplierno", "supplierref", "financereference", "vendornumber"}
    ),
    "ods_code": frozenset({"ods", "odscode"}),
    "phone": frozenset({"phone", "telephone", "phonenumber", "telno"}),
    "email": frozenset({"email", "emailaddress"}),
    "postcode": frozenset({"postcode", "postalcode"}),
}
_DRAFT = '''\

# Bodies that were entered twice, drafted from the names of columns: look at each line, or take it away.
[registers.organisations]
kind = "organisation"

[registers.organisations.fields]
{fields}

[registers.organisations.scan]
query = """
SELECT {key} AS id, {columns}
FROM {name}
"""

[registers.organisations.scan.tables.{table}]
key = {quoted_key}
person = {quoted_key}
columns = [{read}]
'''


def of_the_pack(text: str, configs: Sequence[ScanConfig]) -> str:
    """The parts of the pack's linkage.toml about some further registers, without what only a migration reads.
    text: of the file."""
    return "".join(_part(text, config.name) for config in configs)


def _part(text: str, name: str) -> str:
    header = re.search(rf"(?m)^(#[^\n]*\n)*\[registers\.{re.escape(name)}\]$", text)
    if header is None:
        return ""
    others = re.compile(rf"(?m)^(#[^\n]*\n)*\[(?!registers\.{re.escape(name)}[.\]])")
    end = others.search(text, header.end())
    part = text[header.start() : end.start() if end else len(text)]
    own, fields, rest = part.partition(f"[registers.{name}.fields]")
    own = re.sub(r"(?m)^tables\s*=.*\n", "", own)
    own = re.sub(r'(?ms)^query\s*=\s*"""\n.*?^"""\n', "", own)
    return f"{own.rstrip()}\n\n{fields}{rest}"


def drafted(relations: Sequence[Relation], but: str) -> str:
    """A register of organisations where a table other than `but` looks like one; else nothing."""
    for relation in relations:
        names = [name for name, _ in relation.columns]
        roles = _roles(names)
        if relation.name == but or not _TABLES.search(relation.name.casefold()) or "name" not in roles:
            continue
        key = relation.primary_key[0] if len(relation.primary_key) == 1 else names[0]
        return _DRAFT.format(
            fields="\n".join(f"{role} = {quoted(column)}" for role, column in roles.items()),
            key=_sql(key), columns=", ".join(_sql(column) for column in roles.values()), name=_sql(relation.name),
            table=toml_key(relation.name), quoted_key=quoted(key), read=", ".join(map(quoted, roles.values())),
        )  # fmt: skip
    return ""


def _roles(columns: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in columns:
        for role in (role for role, words in _ROLES.items() if bare_word(column) in words and role not in found):
            found[role] = column
    return found


def _sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
