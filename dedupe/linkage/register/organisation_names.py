"""Names of organisations as people and finance systems write them: legal forms, trading names, branches, notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.column_reader import ColumnReader, as_lists, tell_unread
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.folding import folded
from casebridge.dedupe.linkage.register.values import by_distinct, encode_cleaned, flagged_rows

LONGEST = 120
BRANCH = "branch"
_LEGAL = """
LTD LIMITED PLC LLP LP CIC CIO CYF CYFYNGEDIG CCC CBC INC INCORPORATED CORP CORPORATION CO COMPANY
"""
LEGAL = frozenset(_LEGAL.split())
"""Legal forms (Companies Act 2006 s. 58 to 60, with the Welsh ones; LLP, CIC, CIO): records of one body have them
or not."""
LINKING = frozenset(("THE", "AND", "OF", "FOR", "IN", "AT", "ON", "Y", "YR"))
SPELLED_OUT = {
    "ST": "SAINT", "HSE": "HOUSE", "CTR": "CENTRE", "CENTER": "CENTRE", "CNTR": "CENTRE", "SVCS": "SERVICES",
    "SERVICE": "SERVICES", "SERV": "SERVICES", "SVC": "SERVICES", "ASSOC": "ASSOCIATION", "ASSN": "ASSOCIATION",
    "HOSP": "HOSPITAL", "SCH": "SCHOOL", "SURG": "SURGERY", "NURS": "NURSING", "RES": "RESIDENTIAL",
    "RESI": "RESIDENTIAL", "DOM": "DOMICILIARY", "MGMT": "MANAGEMENT", "MGT": "MANAGEMENT", "DEPT": "DEPARTMENT",
    "COMM": "COMMUNITY", "CH": "CARE HOME", "NH": "NURSING HOME", "HOMECARE": "HOME CARE", "DAYCARE": "DAY CARE",
    "UNIV": "UNIVERSITY", "COOP": "COOPERATIVE", "HOMES": "HOME", "HLTH": "HEALTH", "LODG": "LODGE",
    "INTL": "INTERNATIONAL", "NATL": "NATIONAL", "CHARITY": "TRUST", "FOUNDN": "FOUNDATION", "GRP": "GROUP",
}  # fmt: skip
_SORTS = """
CARE HOME NURSING RESIDENTIAL CENTRE SERVICES TEAM TRUST AGENCY SUPPORT HOUSE LODGE COURT SCHOOL SURGERY PRACTICE
HOSPITAL CLINIC PHARMACY ASSOCIATION FOUNDATION PARTNERSHIP COUNCIL DEPARTMENT DAY FOSTERING ADOPTION DOMICILIARY
LIVING COMMUNITY HEALTH HEALTHCARE SOCIAL MEDICAL CHILDRENS ADULT ADULTS PRIMARY ACADEMY NURSERY COLLEGE UNIVERSITY
HOTEL TAXIS TRANSPORT PART III UNIT WARD UK GB GROUP HOLDINGS
"""
SORTS = frozenset(_SORTS.split())
"""Words that say what sort of body it is, not which one."""
NOTE = re.compile(
    r"\b(?:DO NOT USE|DON'?T USE|NOT IN USE|NO LONGER (?:IN USE|USED|TRADING)|INACTIVE|CLOSED(?: [\d/]+)?"
    r"|DUPLICATE(?: RECORD| ENTRY)?|CEASED(?: TRADING)?|IN (?:LIQUIDATION|ADMINISTRATION))\b"
)
TRADING = re.compile(r"(?<=\S)\s+(?:T ?[/.] ?AS?\.?|TRADING AS|DBA|AKA|ALSO KNOWN AS|NOW KNOWN AS)\s")
FORMERLY = re.compile(r"(?:^|\s)(?:FORMERLY(?: KNOWN AS)?|FKA|F/K/A|PREVIOUSLY(?: KNOWN AS)?)\s")
BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]?")
INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}|\b[A-Z](?: [A-Z]\b){2,}")
TAIL = re.compile(r"(?:,| [-\u2013] )\s*([^,]+?)\s*$")
BRANCH_WORDS = 3


@dataclass(frozen=True)
class OrganisationName:
    """What a field for a name says: the name, other names of the same body, and the branch; "" where there is
    none."""

    name: str
    others: tuple[str, ...] = ()
    branch: str = ""


def read_organisation(text: str) -> OrganisationName:
    """Name, other names and branch in a text of plain letters.

    >>> read_organisation("The Oakdene Care Home Ltd (Leeds)")
    OrganisationName(name='OAKDENE CARE HOME', others=(), branch='LEEDS')
    >>> read_organisation("J Smith & Sons Limited t/a Holly Bank")
    OrganisationName(name='HOLLY BANK', others=('J SMITH SONS',), branch='')
    >>> read_organisation("** DO NOT USE ** B.U.P.A. Care Services - Tarnton")
    OrganisationName(name='BUPA CARE SERVICES', others=(), branch='TARNTON')
    """
    rest = NOTE.sub(" ", text.upper().replace("\u2019", "'"))
    rest = re.sub(r"^[\s*ZX_-]{2,}(?=\s|\b)", " ", rest) if re.match(r"\s*(?:\*|Z{2,}|X{2,})", rest) else rest
    rest = re.sub(r"\bCO-OP", "COOP", rest)
    branches, after = list[str](), list[str]()
    for inside in BRACKETS.findall(rest):
        a_place = _a_place(inside) and not FORMERLY.match(inside.strip())
        (branches if a_place else after).append(inside.strip())
    rest = " ".join([BRACKETS.sub(" ", rest), *after])
    first, *former = FORMERLY.split(rest)
    legal, *trading = TRADING.split(first)
    names = [*reversed(trading), legal, *former]
    tail = TAIL.search(names[0].strip()) if names else None
    if tail and _a_place(tail[1]):
        branches.append(tail[1])
        names[0] = names[0].strip()[: tail.start()]
    found = [name for name in map(tidy_name, names) if name]
    where = " ".join(filter(None, (tidy_name(branch) for branch in branches)))
    if not found:
        return OrganisationName(where)
    return OrganisationName(found[0], tuple(dict.fromkeys(n for n in found[1:] if n != found[0])), where)


def _a_place(tail: str) -> bool:
    """Whether what stands in brackets, or behind a comma or dash, is a branch: no legal form, no word of a
    sort."""
    words = set(tidy_name(tail).split())
    return 0 < len(words) <= BRANCH_WORDS and not words & (SORTS | LEGAL)


def tidy_name(text: str) -> str:
    """Words of a name without legal forms and linking words; all of them where no others are left.

    >>> tidy_name("The Holly Bank Nursing Home Ltd."), tidy_name("Co. Ltd"), tidy_name("St. Cuthbert's Homecare")
    ('HOLLY BANK NURSING HOME', 'CO LTD', 'SAINT CUTHBERTS HOME CARE')
    """
    joined = INITIALS.sub(lambda m: re.sub("[. ]", "", m[0]) + " ", text.upper())
    plain = re.sub(r"[^A-Z0-9]+", " ", joined.replace("'", "").replace("&", " AND ").replace("+", " AND "))
    words = [word for part in plain.split() for word in SPELLED_OUT.get(part, part).split()]
    telling = [word for word in words if word not in LEGAL and word not in LINKING]
    return " ".join(telling or words)


def read_organisation_names(register: Register, reader: ColumnReader, fields: Fields) -> None:
    """Fills `name`, the other names of each row, and `branch` where any name says one."""
    column = reader.column(fields.roles["name"])
    rows, distinct = by_distinct(column)
    known = ~fillers(distinct).to_numpy()
    plain = folded(distinct.str.slice(0, LONGEST)).to_list()
    read = [
        read_organisation(one) if given else OrganisationName("") for one, given in zip(plain, known, strict=True)
    ]
    names = _texts([one.name for one in read])
    tell_unread(register, "name", "name", column, flagged_rows(names.is_null().to_numpy() & known, rows))
    whose, others = _other_names(rows, read)
    codes, values = encode_cleaned([(rows, names), (np.arange(len(others)), others)])
    register.columns["name"], register.values["name"] = reader.arranged(codes[0]), values
    if len(others):
        register.lists["name"] = as_lists(whose, codes[1], reader.order, "name")
    branches = _texts([one.branch for one in read])
    if register.known.frozen or branches.null_count() < len(branches):
        branch, told = encode_cleaned([(rows, branches)])
        register.columns[BRANCH], register.values[BRANCH] = reader.arranged(branch[0]), told


def _other_names(rows: NDArray[np.int64], read: Sequence[OrganisationName]) -> tuple[NDArray[np.int64], pl.Series]:
    """Row and text of each other name."""
    bearing = np.array([bool(one.others) for one in read] + [False])
    found = [(int(row), other) for row in np.flatnonzero(bearing[rows]) for other in read[rows[row]].others]
    return np.array([row for row, _ in found], dtype=np.int64), _texts([other for _, other in found])


def organisations_as(_register: Register, _role: str, text: pl.Series) -> pl.Series:
    return _texts([read_organisation(one or "").name for one in folded(text).to_list()])


def _texts(found: list[str]) -> pl.Series:
    return pl.Series([one or None for one in found], dtype=pl.String)
