"""Workers and organisations: few, global, made before anybody else and written last.

CF_ORG is a spreadsheet that finance keeps; CF_WORKER is a fixed-width export. A worker who is also a client
points at a person, so the file waits until the people are known.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from openpyxl import Workbook  # it has no stubs of its own

from casebridge.synthetic.council import FIRST_DAY, SNAPSHOT
from casebridge.synthetic.formats import Dates
from casebridge.synthetic.names import Ints, Names
from casebridge.synthetic.places import TOWNS
from casebridge.synthetic.suppliers import entered_again
from casebridge.synthetic.verdicts import DUPLICATE_KEY, LOADED, UNDECODABLE, Mask, Verdicts
from casebridge.synthetic.writer import Writer

FIRST_ORG: Final = 10001
FIRST_WORKER: Final = 200001
NO_SUCH: Final = 77000  # added to a number to make one that nobody has
_SHARES: Final = {
    "TEAM": 0.2,
    "HCA": 0.2,
    "CH": 0.27,
    "NH": 0.12,
    "IFA": 0.07,
    "DAYC": 0.06,
    "VOL": 0.05,
    "PTIII": 0.03,
}
_TEAMS: Final = ("Assessment", "Safeguarding", "Looked After Children", "Older People", "Learning Disability",
    "Hospital Discharge", "Fostering", "Adoption", "Occupational Therapy",
    "Emergency Duty", "Leaving Care")  # fmt: skip
_HOMES: Final = ("The Beeches", "Fellview", "St Cuthbert's", "Oakdene", "Rosemount", "Tarn Lodge", "Ashgrove",
    "Café Corner", "Holly Bank", "Riverside", "Manor Court", "The Laurels", "Moorside", "Bethany")  # fmt: skip
_PLAIN: Final = str.maketrans("ëé", "ee", "'")
_WIDTHS: Final = (8, 30, 30, 12, 8, 60, 10, 10, 8)


@dataclass(slots=True)
class Staff:
    orgs: pl.DataFrame
    teams: Ints  # rows of orgs
    suppliers: Ints
    worker_names: list[tuple[str, str]]
    from_day: Ints
    to_day: Ints
    team: Ints
    pi_no: list[str]
    client: Ints  # rows of workers who are clients themselves, to be given a person
    unreadable: Ints
    verdict: Verdicts = field(init=False)  # of the workers; every organisation loads

    def __post_init__(self) -> None:
        self.verdict = np.zeros(len(self.worker_names), dtype=np.uint8)
        self.verdict[self.unreadable] = UNDECODABLE

    def worker_numbers(self) -> pl.Series:
        """Texts by row; the last stands for a number nobody has."""
        known = [str(FIRST_WORKER + n) for n in range(len(self.worker_names))]
        return pl.Series([*known, str(FIRST_WORKER + NO_SUCH)])

    def org_numbers(self) -> pl.Series:
        known = [str(FIRST_ORG + n) for n in range(len(self.orgs))]
        return pl.Series([*known, str(FIRST_ORG + NO_SUCH)])


def make_staff(rng: np.random.Generator, names: Names, people: int) -> Staff:
    orgs = _orgs(rng, int(np.clip(people // 150, 60, 1500)))
    kinds = orgs["ORG_TYPE"].to_list()
    teams = np.flatnonzero([kind == "TEAM" for kind in kinds])
    suppliers = np.flatnonzero([kind not in ("TEAM", "DEPT") for kind in kinds])
    n = int(np.clip(people // 120, 40, 6000))
    culture = rng.choice(7, n, p=(0.88, 0.02, 0.04, 0.02, 0.02, 0.015, 0.005))
    female = (rng.random(n) < 0.78).astype(np.int64)
    forenames = names.draw_forenames(rng, culture, female, rng.integers(1950, 2000, n))
    surnames = names.draw_surnames(rng, culture)
    start = rng.integers(FIRST_DAY, SNAPSHOT - 30, n)
    end = start + (rng.exponential(7, n) * 365).astype(np.int64) + 30
    order = rng.permutation(n)
    return Staff(
        orgs=orgs,
        teams=teams,
        suppliers=suppliers,
        worker_names=[(names.surnames[s], names.forenames[f]) for s, f in zip(surnames, forenames, strict=True)],
        from_day=start,
        to_day=np.where(end < SNAPSHOT, end, -(10**6)),
        team=teams[rng.integers(0, len(teams), n)],
        pi_no=[""] * n,
        client=np.sort(order[: max(4, n // 80)]),
        unreadable=np.sort(order[-max(1, n // 1500) :]),
    )


def _orgs(rng: np.random.Generator, n: int) -> pl.DataFrame:
    kinds = ["DEPT"] * 2 + [kind for kind, share in _SHARES.items() for _ in range(max(2, round(share * n)))]
    rows = []
    for at, kind in enumerate(kinds):
        town = TOWNS[at * 7 % len(TOWNS)]
        supplier = kind not in ("DEPT", "TEAM")
        sector = "LA" if not supplier else ("VOL", "PRIV", "PRIV", "PRIV")[at % 4]
        parent = "" if at < 2 or supplier else str(FIRST_ORG + at % 2)
        finance = f"S{rng.integers(100000, 999999)}" if supplier and at % 23 else ""
        live = "N" if kind == "PTIII" or rng.random() < 0.12 else "Y"
        rows.append((FIRST_ORG + at, _org_name(kind, at, town), kind, sector, parent, finance, live))
    columns = ["ORG_NO", "NAME", "ORG_TYPE", "SECTOR", "PARENT_NO", "FINANCE_REF", "LIVE_YN"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _org_name(kind: str, at: int, town: str) -> str:
    if kind == "DEPT":
        return ("Children's Services", "Adult Social Care")[at % 2]
    if kind == "TEAM":
        return f"{town} {_TEAMS[at % len(_TEAMS)]} Team {at % 3 + 1}"
    home = _HOMES[at % len(_HOMES)]
    ends = {"HCA": "Home Care Ltd", "CH": "Care Home", "NH": "Nursing Home", "IFA": "Fostering Agency",
            "DAYC": "Day Centre", "VOL": "Trust", "PTIII": "Part III Home"}  # fmt: skip
    return f"{home} {ends[kind]}, {town}"


def write_orgs(staff: Staff, writer: Writer) -> None:
    """One sheet; suppliers that were entered again stand behind the others, two rows come twice, two teams name a
    parent that is no organisation."""
    rows = [list(row) for row in staff.orgs.rows()]
    stray = staff.teams[[0, -1]]
    for at in stray:
        rows[at][4] = str(FIRST_ORG + NO_SUCH)
    again = entered_again(staff.orgs, FIRST_ORG + len(staff.orgs))
    rows += [list(row) for row in again.select(staff.orgs.columns).rows()]
    loaded = len(rows)
    rows += [list(rows[at]) for at in staff.suppliers[[1, -2]]]
    file = writer.open("CF_ORG")
    file.write(_workbook([list[object](staff.orgs.columns), *rows]), len(rows) + 1)
    verdicts = np.where(np.arange(len(rows)) < loaded, LOADED, DUPLICATE_KEY).astype(np.uint8)
    keys = pl.Series([str(row[0]) for row in rows])
    nothing = np.zeros(len(rows), dtype=np.bool_)
    writer.account("CF_ORG", np.arange(len(rows)) + 2, keys, verdicts, nothing)
    writer.set_aside("CF_ORG", stray + 2, "PARENT_NO", "orphan")
    first = staff.orgs.select("ORG_NO", organisation="ORG_NO", errors=pl.lit([], dtype=pl.List(pl.String)))
    writer.save("organisations", pl.concat([first, again.select("ORG_NO", organisation="of", errors="errors")]))


def _workbook(rows: list[list[object]]) -> bytes:
    """The same bytes every time: the library stamps the hour into the file, so the stamps are rewritten."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Suppliers and teams")
    for row in rows:
        sheet.append(row)
    stamped, fixed = io.BytesIO(), io.BytesIO()
    book.save(stamped)
    with zipfile.ZipFile(stamped) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for item in sorted(old.infolist(), key=lambda entry: entry.filename != "[Content_Types].xml"):
            data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-03-31T09:00:00Z", old.read(item))
            entry = zipfile.ZipInfo(item.filename, (2026, 3, 31, 9, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, data)
    return fixed.getvalue()


def write_workers(staff: Staff, writer: Writer, dates: Dates, rng: np.random.Generator) -> None:
    """Fixed width, no header. `pi_no` of a client is filled in by then."""
    n = len(staff.worker_names)
    numbers, orgs = staff.worker_numbers(), staff.org_numbers()
    lost_team = np.sort(rng.choice(n, max(1, n // 400), replace=False))
    team = staff.team.copy()
    team[lost_team] = len(orgs) - 1
    teams = orgs.gather(team)
    stray = _clients_of_nobody(staff, rng)
    since = dates.text(dates.index(rng, staff.from_day, (1, 0, 0, 0, 0, 0)))
    until = dates.text(dates.open_ended(rng, staff.to_day, (1, 0, 0, 0, 0, 0)))
    lines = []
    for at, (surname, forename) in enumerate(staff.worker_names):
        login = f"{forename[:1]}{surname}".replace("'", "").upper()[:8] + f"{at % 1000:03}"
        email = f"{forename}.{surname}@tarnshire.example".translate(_PLAIN).lower()
        shown = surname[:2] + "\x81" + surname[2:] if staff.verdict[at] == UNDECODABLE else surname
        cells = (numbers[at], shown, forename, login, teams[at], email, since[at], until[at], staff.pi_no[at])
        lines.append("".join(str(cell).ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)))
    doubled = [at for at in (3, n // 2) if staff.verdict[at] == LOADED]
    lines += [lines[at] for at in doubled]
    writer.open("CF_WORKER").write("".join(f"{line}\r\n" for line in lines).encode("latin-1"), len(lines))
    verdicts = np.concatenate([staff.verdict, np.full(len(doubled), DUPLICATE_KEY)]).astype(np.uint8)
    keys = numbers.gather(list(range(n)) + doubled)
    writer.account("CF_WORKER", np.arange(len(lines)) + 1, keys, verdicts, np.zeros(len(lines), dtype=np.bool_))
    readable: Mask = staff.verdict == LOADED
    writer.set_aside("CF_WORKER", (lost_team + 1)[readable[lost_team]], "TEAM_NO", "orphan")
    writer.set_aside("CF_WORKER", (stray + 1)[readable[stray]], "PI_NO", "orphan")


def _clients_of_nobody(staff: Staff, rng: np.random.Generator) -> Ints:
    """Workers who claim to be a client that is in no person row."""
    free = np.flatnonzero([not pi_no for pi_no in staff.pi_no])
    stray = np.sort(rng.choice(free, 2, replace=False))
    for at in stray:
        staff.pi_no[at] = str(90_000_000 + int(at))
    return np.asarray(stray, dtype=np.int64)
