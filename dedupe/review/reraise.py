"""When a pair that was decided *different* comes back: its evidence changed materially since, and what changed.

Material is a change of sides (for one person, against it, nothing known) of the NHS number, the birth date or a
name, and a weight that moved by 3 bits or more (everything else would bring every pair back with every telephone
number). What only weakened, so that nobody would put the pair forward any more, is no reason to ask again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa

from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.review.desk_tables import BASES, DECISIONS
from casebridge.project.control import bring_up_control
from casebridge.project.database import writing

Pair = tuple[str, str]
BITS = 3.0
"""By how much a weight moves that is a change of its own."""
TELLING: Mapping[str, str] = {
    "nhs_number": "NHS number", "birth_date": "date of birth", "forename": "first name",
    "middle_name": "middle name", "surname": "last name", "name": "name",
}  # fmt: skip
"""The comparisons whose side counts, in words."""
NEGATIVE = frozenset({Ruling.DIFFERENT, Ruling.RELATED})
FOR, AGAINST, NOTHING = "for", "against", "nothing"
_AGAINST = re.compile(
    r"(?<!one digit of the day or month )(?<!one digit of the year )differ|\bapart\b|only the first letter"
    "|somewhat alike|two different|spelled closely, both are names in use"
)


@dataclass(frozen=True)
class Basis:
    """What a decision rested on: the level of each comparison that found something, and the weight in bits.
    `number`: the decision's, where it is one that was kept; `known`: the answer of a pair that is made up;
    `supervised`: whether somebody else has to say the same."""

    levels: Mapping[str, str] = field(default_factory=dict)
    weight: float = 0.0
    number: int = 0
    known: str = ""
    supervised: bool = False

    def text(self) -> str:
        """As it is kept."""
        more = {"known": self.known, "supervised": self.supervised}
        said = {name: value for name, value in more.items() if value}
        return json.dumps({"levels": dict(self.levels), "weight": self.weight, **said})


def side(level: str | None) -> str:
    """Which side a level speaks for: one person (`for`), two (`against`), or neither, where it is missing."""
    if not level:
        return NOTHING
    return AGAINST if _AGAINST.search(level) else FOR


def material_changes(then: Basis, now: Basis) -> tuple[str, ...]:
    """What changed materially, a sentence each; empty when nothing did."""
    found = [
        f"{words}: was “{then.levels.get(name) or 'not on both'}”, is “{now.levels.get(name) or 'not on both'}”"
        for name, words in TELLING.items()
        if side(then.levels.get(name)) != side(now.levels.get(name))
    ]
    moved = now.weight - then.weight
    if abs(moved) >= BITS:
        found.append(f"the weight of the evidence {'rose' if moved > 0 else 'fell'} by {abs(moved):.1f} bits")
    return tuple(found)


def comes_back(then: Basis, now: Basis, *, put_forward: bool) -> tuple[str, ...]:
    """Why a pair that was decided *different* comes back, a sentence each; empty when it does not.

    put_forward: linkage proposes the pair now.
    """
    changed = material_changes(then, now)
    return changed if put_forward or now.weight > then.weight else ()


def bases(engine: sa.Engine) -> dict[Pair, Basis]:
    """What the last decision on each pair rested on, where that is known. Read only."""
    if not sa.inspect(engine).has_table(BASES.name):
        return {}
    last = _last_numbers().subquery()
    query = sa.select(BASES).join(last, BASES.c.number == last.c.number)
    with engine.connect() as connection:
        return {
            (row.left_id, row.right_id): read_basis(row.basis, row.number) for row in connection.execute(query)
        }


def _last_numbers() -> sa.Select[tuple[str, str, int]]:
    pair = (DECISIONS.c.left_id, DECISIONS.c.right_id)
    return sa.select(*pair, sa.func.max(DECISIONS.c.number).label("number")).group_by(*pair)


def keep_basis(connection: sa.Connection, number: int, pair: Pair, basis: Basis) -> None:
    """Write down, in the caller's transaction, what a decision rests on. number: the decision's own."""
    row = {"number": number, "left_id": pair[0], "right_id": pair[1], "basis": basis.text()}
    connection.execute(BASES.insert().values(row))


def read_basis(text: str, number: int = 0) -> Basis:
    """A basis as it was kept."""
    body = json.loads(text)
    return Basis(body.get("levels", {}), float(body.get("weight") or 0), number, body.get("known", ""),
                 body.get("supervised", False))  # fmt: skip


def decided_since(engine: sa.Engine, raised: Mapping[Pair, int]) -> set[Pair]:
    """Those of some pairs that came back of which somebody has decided since. raised: the number of the decision
    that stood, by pair. Read only."""
    if not raised:
        return set()
    with engine.connect() as connection:
        last = {(row.left_id, row.right_id): row.number for row in connection.execute(_last_numbers())}
    return {pair for pair, number in raised.items() if last.get(pair, 0) > number}


def note_bases(engine: sa.Engine, decisions: Iterable[Decision], pairs: pl.LazyFrame) -> None:
    """Write down what decisions rest on of which that is not known (they came in a sheet): what linkage finds in
    the first run that takes them up. pairs: left_id, right_id, weight and a level for each comparison."""
    known = bases(engine)
    wanted = {pair for d in decisions if d.verdict in NEGATIVE and (pair := (d.left_id, d.right_id)) not in known}
    found = {pair: Basis() for pair in wanted} | found_now(pairs, wanted) if wanted else {}
    if not found:
        return
    with writing(engine).begin() as connection:
        bring_up_control(connection)
        numbers = {(row.left_id, row.right_id): row.number for row in connection.execute(_last_numbers())}
        for pair, basis in sorted(found.items(), key=lambda item: item[0]):
            keep_basis(connection, numbers[pair], pair, basis)


def found_now(pairs: pl.LazyFrame, wanted: Iterable[Pair]) -> dict[Pair, Basis]:
    """What linkage finds now of some pairs, as far as it kept them."""
    keys = pl.DataFrame(list(wanted), schema={"left_id": pl.String, "right_id": pl.String}, orient="row")
    rows = pairs.join(keys.lazy(), on=["left_id", "right_id"], how="semi").collect()
    names = level_columns(rows)
    return {
        (row["left_id"], row["right_id"]): Basis(
            {name: str(row[name]) for name in names if row[name] is not None}, float(row["weight"] or 0)
        )
        for row in rows.iter_rows(named=True)
    }


NO_LEVEL = frozenset(
    {
        "left_id",
        "right_id",
        "p_same",
        "relation",
        "weight",
        "zone",
        "guard",
        "state",
        "ruling",
        "changed",
        "since",
        "why",
        "preflight",
        "blockers",
        "teams",
    }
)


def level_columns(pairs: pl.DataFrame) -> list[str]:
    """The columns of a table of pairs that hold levels of comparisons."""
    texts = (pl.String, pl.Enum, pl.Categorical)
    return [name for name, kind in pairs.schema.items() if name not in NO_LEVEL and kind in texts]


def raised_again(
    decisions: Sequence[Decision], known: Mapping[Pair, Basis], pairs: pl.LazyFrame, propose: float
) -> pl.DataFrame:
    """The pairs decided *different* or *related* that come back: left_id, right_id, `changed` in words, and the
    number of the `decision` that stands. pairs: what linkage finds now; propose: p_same from which it puts one
    forward."""
    negative = {(d.left_id, d.right_id) for d in decisions if d.verdict in NEGATIVE} & known.keys()
    forward = _put_forward(pairs, negative, propose) if negative else set()
    rows = [
        (*pair, "; ".join(why), known[pair].number)
        for pair, now in sorted(found_now(pairs, negative).items() if negative else (), key=lambda item: item[0])
        if (why := comes_back(known[pair], now, put_forward=pair in forward))
    ]
    return pl.DataFrame(rows, schema=RAISED, orient="row")


def _put_forward(pairs: pl.LazyFrame, wanted: Iterable[Pair], propose: float) -> set[Pair]:
    mine = pairs.filter(pl.col("p_same") >= propose).select("left_id", "right_id")
    keys = pl.LazyFrame(list(wanted), schema={"left_id": pl.String, "right_id": pl.String}, orient="row")
    return set(mine.join(keys, on=["left_id", "right_id"], how="semi").collect().iter_rows())


RAISED = pl.Schema(
    {"left_id": pl.String(), "right_id": pl.String(), "changed": pl.String(), "decision": pl.Int64()}
)
