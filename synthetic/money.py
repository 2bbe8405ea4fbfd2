"""CF_AGREEMENT, CF_AGREEMENT_LINE, CF_PAYMENT: what was promised, what it consists of, what was paid.

Payments hang on lines, lines on agreements, agreements on people: one lost person takes a whole ledger along.
A supplier nobody knows and a line that was never there cost only their own rows and what hangs on those.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, orphan_people, unknown_workers, workers
from casebridge.synthetic.circumstances import Rows
from casebridge.synthetic.council import ADULT, ELDER, FOSTERER, NEVER, SNAPSHOT
from casebridge.synthetic.formats import BATCH, ORACLE, SCREEN, digits, iso, money, months, plain_money
from casebridge.synthetic.names import Ints
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import (
    DATE,
    LOADED,
    MONEY,
    ORPHAN,
    PERIOD,
    RAGGED,
    REQUIRED,
    Mask,
    Verdicts,
    inherit,
)
from casebridge.synthetic.work import unmapped_codes

AGREEMENTS = 0.4  # per client, at intensity 1
_MONTH = 30.44


@dataclass(slots=True)
class Lines:
    agreement: Ints
    number: Ints
    supplier: Ints
    weekly: Ints  # pence
    units: Ints  # hundredths of a unit a month
    since: Ints
    until: Ints
    paid_to: Ints


def write_money(chunk: Chunk) -> None:
    rng = chunk.rng("agreement")
    record, since, until = _agreements(chunk, rng)
    numbers = chunk.numbers(7, len(record))
    standing = _write_agreements(chunk, rng, record, since, until, numbers)
    chunk.held["agreement"] = _that_load(record, standing)
    rng = chunk.rng("line")
    lines = _lines(chunk, rng, since, until)
    line_standing = _write_lines(chunk, rng, lines, numbers, standing)
    line, paid = _write_payments(chunk, chunk.rng("payment"), lines, numbers, line_standing)
    chunk.held["payment"] = _that_load(record[lines.agreement[line]], paid)


def _that_load(record: Ints, standing: Verdicts) -> Rows:
    loaded = record[standing == LOADED]
    nothing = np.full(len(loaded), NEVER)
    return Rows(loaded, nothing, nothing, nothing)


def _agreements(chunk: Chunk, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    kind = chunk.people.kind[chunk.records.person]
    weight = np.where(np.isin(kind, (ELDER, ADULT)), 1.0, np.where(kind == FOSTERER, 1.4, 0.07))
    weight = weight * np.where(chunk.records.copy > 0, 0.25, 1.0)
    count = rng.poisson(weight * AGREEMENTS * chunk.intensity)
    record = np.repeat(np.arange(len(kind)), count)
    n = len(record)
    began, ended = chunk.records.created[record], chunk.last_day[record]
    since = began + (rng.random(n) * np.maximum(ended - began, 1) * 0.9).astype(np.int64)
    stop = since + (rng.exponential(1000, n)).astype(np.int64) + 28
    return record, since, np.where(stop < ended, stop, NEVER)  # packages of the dead often have no end


def _write_agreements(
    chunk: Chunk, rng: np.random.Generator, record: Ints, since: Ints, until: Ints, numbers: pl.Series
) -> Verdicts:
    n, dates, codes = len(record), chunk.pools.dates, chunk.pools.codes
    status = codes["agreement_status"]
    closed = np.where(until > NEVER, status.at("C")[0], status.at("A")[0])
    state = np.where(rng.random(n) < 0.85, closed, status.draw(rng, n))
    who = workers(chunk, rng, n)
    sheet = Sheet("CF_AGREEMENT", {
        "AGR_NO": numbers,
        "PI_NO": chunk.pi.gather(record),
        "AGR_TYPE": codes["agreement_type"].text(rng, codes["agreement_type"].draw(rng, n)),
        "STATUS": status.text(rng, state),
        "FROM_DT": dates.text(dates.index(rng, since, SCREEN)),
        "TO_DT": dates.text(dates.open_ended(rng, until, SCREEN)),
        "AUTH_BY": chunk.staff.worker_numbers().gather(who),
    }, ("AGR_NO",), rng, soft="AUTH_BY", least=chunk.least)  # fmt: skip
    orphan_people(sheet, "PI_NO", 5e-4)
    rows = sheet.pick(1e-3)
    sheet.spoil(rows, "TO_DT", dates.text(dates.impossible(rng, len(rows))))
    sheet.set_aside(rows, "TO_DT", "date")
    sheet.set_aside(unknown_workers(chunk, who), "AUTH_BY", "orphan")
    return finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, record)))


def _lines(chunk: Chunk, rng: np.random.Generator, since: Ints, until: Ints) -> Lines:
    count = rng.choice((1, 2, 3, 4), len(since), p=(0.58, 0.27, 0.1, 0.05))
    agreement = np.repeat(np.arange(len(since)), count)
    n = len(agreement)
    number = np.arange(n) - np.repeat(np.cumsum(count) - count, count) + 1
    suppliers = chunk.staff.suppliers
    supplier = suppliers[(len(suppliers) * rng.random(n) ** 1.8).astype(np.int64)]
    weekly = (np.exp(rng.normal(5.4, 0.9, n)) * 100).astype(np.int64).clip(500, 450_000)
    weekly = np.where(rng.random(n) < 0.5, weekly // 100 * 100, weekly)
    began = since[agreement] + np.where(number == 1, 0, rng.integers(0, 200, n))
    ended = np.where(until[agreement] == NEVER, SNAPSHOT, until[agreement])
    paid_to = np.maximum(np.minimum(ended, began + (rng.exponential(800, n)).astype(np.int64)), began + 20)
    units = rng.choice((400, 433, 500, 1400, 2100, 5600), n)
    return Lines(agreement, number, supplier, weekly, units, began, until[agreement], paid_to)


def _write_lines(
    chunk: Chunk, rng: np.random.Generator, lines: Lines, numbers: pl.Series, agreements: Verdicts
) -> Verdicts:
    n, dates, codes = len(lines.agreement), chunk.pools.dates, chunk.pools.codes
    sheet = Sheet("CF_AGREEMENT_LINE", {
        "AGR_NO": numbers.gather(lines.agreement),
        "LINE_NO": digits(lines.number, 3),
        "SERVICE": codes["service"].text(rng, codes["service"].draw(rng, n)),
        "ELEMENT": codes["element"].text(rng, codes["element"].draw(rng, n)),
        "SUPPLIER": chunk.staff.org_numbers().gather(lines.supplier),
        "UNIT": codes["unit"].text(rng, codes["unit"].draw(rng, n)),
        "QTY": hundredths(lines.units),
        "RATE": money(rng, lines.weekly * 100 // lines.units + 1),
        "FROM_DT": dates.text(dates.index(rng, lines.since, SCREEN)),
        "TO_DT": dates.text(dates.open_ended(rng, lines.until, SCREEN)),
    }, ("AGR_NO", "LINE_NO"), rng, soft="ELEMENT", free=("RATE",), least=chunk.least)  # fmt: skip
    unmapped_codes(chunk, sheet, "SERVICE", "service", 1e-3)
    whole: Mask = agreements[lines.agreement] == LOADED
    rows = sheet.pick(7e-4, whole)
    sheet.spoil(rows, "AGR_NO", [str(7_990_000_000 + int(at)) for at in rng.integers(0, 9_999_999, len(rows))])
    sheet.reject(rows, ORPHAN)
    rows = sheet.pick(7e-4, whole)
    sheet.spoil(rows, "SUPPLIER", chunk.staff.org_numbers()[-1:].new_from_index(0, len(rows)))
    sheet.reject(rows, ORPHAN)
    standing = finish(sheet, chunk.writer, lambda own: inherit(own, (agreements, lines.agreement)))
    moved = (sheet.columns["AGR_NO"] != numbers.gather(lines.agreement)).to_numpy()
    return np.where(moved, np.uint8(RAGGED), standing).astype(
        np.uint8
    )  # nobody finds a line under another agreement


def hundredths(numbers: Ints) -> pl.Series:
    return pl.Series(numbers // 100).cast(pl.String) + "." + digits(numbers % 100, 2)


def _write_payments(
    chunk: Chunk, rng: np.random.Generator, lines: Lines, numbers: pl.Series, standing: Verdicts
) -> tuple[Ints, Verdicts]:
    """Monthly, from the line's first month to its last paid one. Gives each payment's line, and its verdict."""
    count = ((lines.paid_to - lines.since) / _MONTH).astype(np.int64).clip(1, 200)
    line = np.repeat(np.arange(len(count)), count)
    n = len(line)
    nth = np.arange(n) - np.repeat(np.cumsum(count) - count, count)
    month = ((lines.since[line] - 7305) / _MONTH).astype(np.int64) + nth  # 7305: 1 January 1990
    weeks = np.where(rng.random(n) < 0.33, 5, 4)
    amount = lines.weekly[line] * weeks
    amount = np.where(rng.random(n) < 0.012, -amount, amount)
    dates = chunk.pools.dates
    paid = np.minimum((7305 + (month + 1) * _MONTH).astype(np.int64) + rng.integers(2, 28, n), SNAPSHOT)
    sheet = Sheet("CF_PAYMENT", {
        "PAY_NO": chunk.numbers(8, n),
        "AGR_NO": numbers.gather(lines.agreement[line]),
        "LINE_NO": digits(lines.number, 3).gather(line),
        "SUPPLIER": chunk.staff.org_numbers().gather(lines.supplier[line]),
        "PERIOD": months(month),
        "UNITS": hundredths(lines.units).gather(line),
        "AMOUNT": money(rng, amount),
        "PAID_DT": dates.text(dates.index(rng, paid, BATCH if chunk.number % 2 else ORACLE)),
        "INV_REF": "INV" + digits(rng.integers(0, 10**7, n), 7),
    }, ("PAY_NO",), rng, soft="INV_REF", free=("AMOUNT",), least=chunk.least)  # fmt: skip
    sheet.repaired = {"AMOUNT": plain_money(amount), "PAID_DT": iso(paid)}
    _spoil_payments(chunk, sheet, np.asarray(standing[line] == LOADED, dtype=np.bool_))
    order = np.lexsort((np.arange(n), month))
    return line, finish(sheet, chunk.writer, lambda own: inherit(own, (standing, line)), order=order)


def _spoil_payments(chunk: Chunk, sheet: Sheet, whole: Mask) -> None:
    rng, dates = sheet.rng, chunk.pools.dates
    for column, rule, texts in (
        ("AMOUNT", REQUIRED, ("",)),
        ("AMOUNT", MONEY, ("SEE MEMO", "12.50.00", "1O4.00", "12..50", "as before")),
        ("PERIOD", PERIOD, ("201313", "2013", "APR13", "200000", "0413")),
    ):
        rows = sheet.pick(1e-4)
        sheet.spoil(rows, column, sheet.drawn(rows, texts))
        sheet.reject(rows, rule)
    rows = sheet.pick(1e-4)
    sheet.spoil(rows, "PAID_DT", dates.text(dates.impossible(rng, len(rows))))
    sheet.reject(rows, DATE)
    rows = sheet.pick(1e-4, whole)
    sheet.spoil(rows, "LINE_NO", ["099"] * len(rows))
    sheet.reject(rows, ORPHAN)
    rows = sheet.pick(1e-4, whole)
    sheet.spoil(rows, "SUPPLIER", chunk.staff.org_numbers()[-1:].new_from_index(0, len(rows)))
    sheet.reject(rows, ORPHAN)
