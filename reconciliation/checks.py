"""The checks of a reconciliation. To add one: a function `Books -> Iterator[Finding]`, and its name in CHECKS.

A check compares numbers that were counted on both sides; it computes nothing that a reader could not
repeat with the query it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from casebridge.reconciliation.counting.account_book import UNEXPLAINED
from casebridge.reconciliation.counting.crosswalk import QUERY, TABLE
from casebridge.reconciliation.counting.money import pounds
from casebridge.reconciliation.counting.recount import Books
from casebridge.reconciliation.counting.spec_books import SpecAccount
from casebridge.reconciliation.findings import Finding, Outcome, counted, equal

ROUTED = "routed_to_"
DISPOSITIONS = "dispositions.parquet"


def rows_balance(books: Books) -> Iterator[Finding]:
    """extracted = loaded + merged + combined + rejected + excluded + held, for every source."""
    for page in books.book.pages.values():
        counts = page.count()
        query = (
            f"SELECT place, count(*) FROM '{DISPOSITIONS}' WHERE system = '{page.source.system}' "  # noqa: S608
            f"AND source = '{page.source.name}' GROUP BY place"
        )
        placed = page.height - counts[UNEXPLAINED]
        yield equal("rows_balance", str(page.source), page.height, placed, query=query, evidence=DISPOSITIONS)


def specs_balance(books: Books) -> Iterator[Finding]:
    """asked = loaded + merged + combined + rejected + excluded + held, for every spec; and no spec loads a row
    that it did not ask for."""
    for account in books.accounts:
        query = _asking(account)
        placed = account.asked - account.unexplained
        yield equal("specs_balance", account.spec.name, account.asked, placed, query=query)
        if account.strays:
            yield equal("specs_balance", f"{account.spec.name}, not asked for", 0, account.strays, query=query)


def specs_arrive(books: Books) -> Iterator[Finding]:
    """No spec stays without everything it asked for. Rows that a route sends to another target are not its own;
    a spec that `holds_all` says so beforehand. Nor has a source lines of which not one can be read."""
    for page in (page for page in books.book.pages.values() if page.height and not page.readable.any()):
        lines = f"{page.height:,} lines" if page.height > 1 else "1 line"
        evidence = f"work/extract/{page.source}"
        none = f"0 of {lines}"
        yield Finding(
            "specs_arrive", str(page.source), f"some of {lines}", none, Outcome.FAILED, evidence=evidence
        )
    for account in (account for account in books.accounts if not account.spec.holds_all):
        elsewhere = sum(rows for cause, rows in account.causes if cause.rule.startswith(ROUTED))
        mine = account.asked - elsewhere
        if mine > 0:
            expected, actual = f"some of {mine:,}", f"{account.arrived:,} of {mine:,}"
            verdict = Outcome.PASSED if account.arrived else Outcome.FAILED
            yield Finding("specs_arrive", account.spec.name, expected, actual, verdict, query=_asking(account))


def limits_kept(books: Books) -> Iterator[Finding]:
    """No more stays behind, or loses values, than was agreed; or a named person has accepted it."""
    for excess, word in books.over_limits:
        expected = f"at most {100 * excess.limit:.1f} % {excess.kind.replace('_', ' ')}"
        actual = f"{excess.rows:,} of {excess.asked:,}"
        if word:
            actual += f", accepted by {word.who} on {word.at[:10]}: {word.reason}"
        yield Finding("limits_kept", excess.name, expected, actual, Outcome.NOTE if word else Outcome.FAILED)


def _asking(account: SpecAccount) -> str:
    """How anybody can count what a spec asks for."""
    spec = account.spec
    if spec.query is not None:
        return f"SELECT count(*) FROM (the query of tables/{spec.name}.toml)"  # noqa: S608 - to be read
    filled = " OR ".join(f"{name} IS NOT NULL" for column in spec.said for name in column.sources)
    where = spec.where or filled
    return f"SELECT count(*) FROM {spec.sources[0].name}" + (f" WHERE {where}" if where else "")  # noqa: S608


def extracted_once(books: Books) -> Iterator[Finding]:
    """No source row was taken in twice, and no stage speaks of a row that was never extracted."""
    doubled = sum(page.doubled for page in books.book.pages.values())
    query = f"SELECT row FROM '{DISPOSITIONS}' GROUP BY row HAVING count(*) > 1"  # noqa: S608
    yield equal("extracted_once", "all sources", 0, doubled, query=query, evidence=DISPOSITIONS)
    yield equal("lineage_known", "all sources", 0, books.book.strangers, evidence="work/load, work/transform")


def target_explained(books: Books) -> Iterator[Finding]:
    """Nothing stands in the target that no source row explains."""
    for name, side in books.sides.items():
        evidence = f"evidence/{name}.csv" if side.unexplained else ""
        actual = side.rows - side.unexplained
        yield equal("target_explained", name, side.rows, actual, query=side.held.query, evidence=evidence)


def all_written(books: Books) -> Iterator[Finding]:
    """Every row that load says it wrote is in the target."""
    for name, side in books.sides.items():
        evidence = f"evidence/{name}.csv" if side.missing else ""
        yield equal("all_written", name, side.claimed, side.explained, query=side.held.query, evidence=evidence)


def keys_unique(books: Books) -> Iterator[Finding]:
    """No primary key stands twice, in the target or in load's own files."""
    for name, side in books.sides.items():
        key = ", ".join(side.held.table.primary_key)
        query = f"SELECT {key} FROM {name} GROUP BY {key} HAVING count(*) > 1"  # noqa: S608
        yield equal("keys_unique", name, 0, side.doubled + side.claimed_twice, query=query)


def references_resolve(books: Books) -> Iterator[Finding]:
    """Every reference in the target points at a row that is there."""
    for name, side in books.sides.items():
        for column, orphans in side.orphans.items():
            parent = str(side.held.table.by_name[column].references)
            key = books.job.target.by_name[parent].id_column
            query = (
                f"SELECT count(*) FROM {name} c WHERE c.{column} IS NOT NULL "  # noqa: S608
                f"AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = c.{column})"
            )
            evidence = f"evidence/{name}.csv" if orphans else ""
            yield equal("references_resolve", f"{name}.{column}", 0, orphans, query=query, evidence=evidence)


def contents_equal(books: Books) -> Iterator[Finding]:
    """Every row in the target is, column by column, what was loaded."""
    for name, side in books.sides.items():
        where = {"query": side.held.query, "evidence": f"evidence/{name}.csv" if side.differing else ""}
        if side.held.lacking:
            lacking = f"without {', '.join(side.held.lacking)}"
            yield Finding("contents_equal", name, "all columns", lacking, Outcome.FAILED, **where)
            continue
        columns = ", ".join(f"{column} ({count:,})" for column, count in side.columns.items())
        actual = counted(side.differing, "row") + (f" in {columns}" if columns else "")
        yield equal("contents_equal", name, counted(0, "row"), actual, **where)


def restricted_by_id(books: Books) -> Iterator[Finding]:
    """Whoever was restricted is restricted, person by person: the strictest mark wins, a person lowers one."""
    for account in books.restriction.accounts:
        wrong = account.opened + account.closed
        actual = f"{account.actual:,}"
        if wrong:
            actual += f" ({account.opened:,} opened, {account.closed:,} closed without cause)"
        evidence = f"evidence/{account.table}.csv" if wrong or account.kept else ""
        where = {"query": account.query, "evidence": evidence}
        yield equal("restricted_by_id", account.name, f"{account.expected:,}", actual, **where)
    for name in books.restriction.unread():
        what = "no source column that carries marks is known"
        yield Finding("restricted_by_id", name, "by id", what, Outcome.FAILED)


def control_totals(books: Books) -> Iterator[Finding]:
    """Money by party and period: what the loaded source rows say is what the target holds."""
    for account in books.money.accounts:
        by = f" by {', '.join(account.by)}" if account.by else ""
        differing = account.differing.height
        actual = pounds(account.target) + (f", {counted(differing, 'group')}" if differing else "")
        select = ", ".join([*account.by, f"sum({account.column})"])
        query = f"SELECT {select} FROM {account.table}"  # noqa: S608
        query += f" GROUP BY {', '.join(account.by)}" if account.by else ""
        table = f"{account.table}.{account.column}{by}"
        evidence = "control_totals.csv" + (f"; {account.note}" if account.note else "")
        yield equal("control_totals", table, pounds(account.source), actual, query=query, evidence=evidence)


def counts_by_code(books: Books) -> Iterator[Finding]:
    """Coded columns, code by code: the source's codes translated again against the target's."""
    for account in books.codes.accounts:
        table = f"{account.table}.{account.column}"
        query = f"SELECT {account.column}, count(*) FROM {account.table} GROUP BY {account.column}"  # noqa: S608
        actual = f"{account.target:,}"
        if account.differing:
            codes = ", ".join(f"{code}: {was:,} → {now:,}" for code, was, now in account.differing[:8])
            actual += f" ({counted(len(account.differing), 'code')}: {codes})"
        evidence = f"lists: {', '.join(account.lists)}" + (f"; {account.note}" if account.note else "")
        yield equal("counts_by_code", table, f"{account.source:,}", actual, query=query, evidence=evidence)


def merges_done(books: Books) -> Iterator[Finding]:
    """A record that was merged away does not stand in the target beside its survivor."""
    if books.setting.folded.height:
        yield equal("merges_done", "crosswalk", 0, books.merged_apart, evidence="work/dedupe/crosswalk")


def crosswalk_leads(books: Books) -> Iterator[Finding]:
    """Whoever has an old number finds the person: each loaded or merged key stands in the crosswalk, with the
    right id, and nothing else does."""
    if books.ways:
        yield equal("crosswalk_leads", TABLE, books.ways.expected, books.ways.right, query=QUERY)
        yield equal("crosswalk_leads", f"{TABLE}, strays", 0, books.ways.strays, query=QUERY)


def files_unchanged(books: Books) -> Iterator[Finding]:
    """The files this account stands on are, byte for byte, those the ledger recorded."""
    for stage in ("extract", "transform", "dedupe", "load"):
        files = [batch for batch in books.files.batches if batch.stage == stage]
        if files:
            sound = sum(batch.path not in books.files.broken for batch in files)
            names = sorted(batch.path.name for batch in files if batch.path in books.files.broken)
            evidence = f"work/{stage}: {', '.join(names[:5])}" if names else ""
            query = f"sha256sum work/{stage}/*/*.parquet"
            yield equal("files_unchanged", stage, len(files), sound, query=query, evidence=evidence)


CHECKS: Mapping[str, Callable[[Books], Iterator[Finding]]] = {
    "rows_balance": rows_balance,
    "specs_balance": specs_balance,
    "specs_arrive": specs_arrive,
    "limits_kept": limits_kept,
    "extracted_once": extracted_once,
    "target_explained": target_explained,
    "all_written": all_written,
    "keys_unique": keys_unique,
    "references_resolve": references_resolve,
    "contents_equal": contents_equal,
    "restricted_by_id": restricted_by_id,
    "control_totals": control_totals,
    "counts_by_code": counts_by_code,
    "merges_done": merges_done,
    "crosswalk_leads": crosswalk_leads,
    "files_unchanged": files_unchanged,
}


def run_checks(books: Books) -> tuple[Finding, ...]:
    """All findings, in the order of the registry."""
    return tuple(finding for check in CHECKS.values() for finding in check(books))
