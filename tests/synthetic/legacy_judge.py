"""What becomes of each row, worked out again from the bytes of a dump: the second opinion on its truth.

One row at a time, in the order of the pipeline: unreadable, doubled key, excluded, rules, references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path

from legacy_reader import Record, read_dump

from casebridge.synthetic.codelists import CODE_LISTS

Verdict = tuple[str, str | None]
Row = dict[str, str]
Key = tuple[str, ...]
Judged = dict[tuple[str, int], tuple[str | None, str, str | None]]

KEYS = {
    "CF_PERSON": ("PI_NO",), "CF_ALIAS": ("ALIAS_NO",), "CF_ADDRESS": ("ADDR_NO",), "CF_NETWORK": ("NET_NO",),
    "CF_WORKER": ("WORKER_NO",), "CF_ORG": ("ORG_NO",), "CF_OBSERVATION": ("OBS_NO", "SEQ_NO"),
    "CF_ACTIVITY": ("ACT_NO",), "CF_AGREEMENT": ("AGR_NO",), "CF_AGREEMENT_LINE": ("AGR_NO", "LINE_NO"),
    "CF_PAYMENT": ("PAY_NO",), "CF_WARNING": ("WARN_NO",), "CF_DOCUMENT": ("DOC_NO",),
    "CF_CODE": ("DOMAIN", "CODE", "FROM_DT"), "documents": ("PATH",), "CF_CP_PLAN": ("PLAN_NO",),
    "CF_PLACEMENT": ("PLACE_NO",), "CF_APPROVAL": ("APPR_NO",), "CF_FIN_PARTY": ("PARTY_NO",),
    "CF_INVOICE": ("INV_NO",), "CF_EDUCATION": ("EDU_NO",), "CF_RETENTION": ("RET_NO",),
    "CF_MERGE_REQ": ("REQ_NO",), "CF_PROPERTY": ("PROP_NO",), "CF_RESIDENT": ("RES_NO",),
}  # fmt: skip
UNREADABLE = {"ragged_line", "broken_quote", "nul_byte", "undecodable"}
MAPPED = {name: {code.code for code in codes if code.mapped} for name, codes in CODE_LISTS.items()}
OPTIONAL = {  # source: column -> table of the worker or organisation it names
    "CF_PERSON": {"CREATED_BY": "CF_WORKER"}, "CF_OBSERVATION": {"AUTHOR": "CF_WORKER"},
    "CF_ACTIVITY": {"WORKER_NO": "CF_WORKER"}, "CF_AGREEMENT": {"AUTH_BY": "CF_WORKER"},
    "CF_DOCUMENT": {"CREATED_BY": "CF_WORKER"}, "CF_WORKER": {"TEAM_NO": "CF_ORG", "PI_NO": "CF_PERSON"},
    "CF_ORG": {"PARENT_NO": "CF_ORG"},
}  # fmt: skip
DATES = {
    "CF_PERSON": ("DOB", "DOD", "EXP_DELIVERY", "CREATED_ON", "AMENDED_ON"), "CF_ALIAS": ("FROM_DT", "TO_DT"),
    "CF_ADDRESS": ("FROM_DT", "TO_DT"), "CF_NETWORK": ("FROM_DT", "TO_DT"), "CF_OBSERVATION": ("OBS_DT",),
    "CF_ACTIVITY": ("DUE_DT", "DONE_DT"), "CF_AGREEMENT": ("FROM_DT", "TO_DT"), "CF_WORKER": ("FROM_DT", "TO_DT"),
    "CF_AGREEMENT_LINE": ("FROM_DT", "TO_DT"), "CF_WARNING": ("FROM_DT", "TO_DT"), "CF_DOCUMENT": ("CREATED_ON",),
}  # fmt: skip
FORMS = ("%d/%m/%Y", "%d-%b-%Y", "%Y%m%d", "%d/%m/%Y 00:00:00")


def parsed(text: str) -> date | None:
    short = re.fullmatch(r"(.*[/-])(\d\d)", text)
    if short and not text.isdigit():
        text = short[1] + ("20" if int(short[2]) <= 26 else "19") + short[2]
    for form in FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def nhs_is_wrong(text: str) -> bool:
    text = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"\d{10}", text) or len(set(text)) == 1:
        return True
    total = sum(int(figure) * (10 - at) for at, figure in enumerate(text[:9]))
    return (11 - total % 11) % 11 != int(text[9])


def upn_is_wrong(text: str) -> bool:
    total = sum(int(figure) * (at + 2) for at, figure in enumerate(text[1:]))
    return "ABCDEFGHJKLMNPQRTUVWXYZ"[total % 23] != text[0]


def pence(text: str) -> int | None:
    whole = re.fullmatch(r"£?(\d{1,3}(?:,\d{3})*|\d+)\.(\d\d)-?", text)
    return int(whole[1].replace(",", "") + whole[2]) if whole else None


def _unmapped(row: Row, column: str, *lists: str) -> bool:
    return not any(row[column].upper() in MAPPED[name] for name in lists)


def _person(row: Row) -> Verdict | None:
    if row["SURNAME"].upper().startswith("ZZTEST") or row["SURNAME"].upper() in ("TEST", "DO NOT USE"):
        return "excluded", "test_record"
    died = parsed(row["DOD"])
    if died and died < date(1995, 1, 1):
        return "excluded", "retention_passed"
    return None if row["SURNAME"] else ("rejected", "required")


def _payment(row: Row) -> Verdict | None:
    if not row["AMOUNT"]:
        return "rejected", "required"
    if pence(row["AMOUNT"]) is None:
        return "rejected", "money"
    if parsed(row["PAID_DT"]) is None:
        return "rejected", "date"
    month = re.fullmatch(r"(\d{4})(\d\d)", row["PERIOD"])
    return None if month and 1 <= int(month[2]) <= 12 else ("rejected", "period")


def _address(row: Row) -> Verdict | None:
    return None if any(row[f"LINE{at}"] for at in range(1, 5)) else ("rejected", "required")


def _network(row: Row) -> Verdict | None:
    if row["PI_NO"] == row["OTHER_REF"]:
        return "rejected", "self_relationship"
    kind = "involvement" if row["NET_TYPE"].upper().startswith("W") else "relationship"
    return ("held", "unmapped_code") if _unmapped(row, "NET_TYPE", kind) else None


def _held_code(column: str, name: str) -> Callable[[Row], Verdict | None]:
    return lambda row: ("held", "unmapped_code") if _unmapped(row, column, name) else None


RULES: dict[str, Callable[[Row], Verdict | None]] = {
    "CF_PERSON": _person, "CF_PAYMENT": _payment, "CF_ADDRESS": _address, "CF_NETWORK": _network,
    "CF_ACTIVITY": _held_code("ACT_TYPE", "activity_type"), "CF_WARNING": _held_code("WARN_TYPE", "warning_type"),
    "CF_AGREEMENT_LINE": _held_code("SERVICE", "service"), "CF_DOCUMENT": _held_code("DOC_TYPE", "document_type"),
    "CF_OBSERVATION": _held_code("OBS_TYPE", "observation_type"),
}  # fmt: skip


def _parents(source: str, row: Row) -> Iterable[tuple[str, Key]]:
    if "PI_NO" in row and source not in ("CF_PERSON", "CF_WORKER"):
        yield "CF_PERSON", (row["PI_NO"],)
    if source == "CF_NETWORK":
        works = row["NET_TYPE"].upper().startswith("W")
        yield "CF_WORKER" if works else "CF_PERSON", (row["OTHER_REF"],)
    if source == "CF_RESIDENT":
        yield "CF_PROPERTY", (row["PROP_NO"],)
    if source == "CF_AGREEMENT_LINE":
        yield "CF_AGREEMENT", (row["AGR_NO"],)
    if source == "CF_PAYMENT":
        yield "CF_AGREEMENT_LINE", (row["AGR_NO"], row["LINE_NO"])
    if source in ("CF_PAYMENT", "CF_AGREEMENT_LINE"):
        yield "CF_ORG", (row["SUPPLIER"],)


class Judge:
    def __init__(self, dump: Path) -> None:
        self.tables = read_dump(dump)
        for records in self.tables.values():
            for record in records:
                record.fields = {name: text.strip() for name, text in record.fields.items()}
        self.verdicts: dict[tuple[str, int], Verdict] = {}
        self.standing: dict[str, dict[Key, Verdict]] = {}
        self.doubtful: list[tuple[str, int]] = []
        order = ("CF_PERSON", "CF_ORG", "CF_WORKER", "CF_AGREEMENT", "CF_AGREEMENT_LINE")
        for source in (*order, *sorted(set(self.tables) - set(order))):
            self._judge(source)
        self._files()

    def _judge(self, source: str) -> None:
        standing = self.standing.setdefault(source, {})
        rows = self._keyed(source)
        own = {key: self._rule(source, record.fields) for key, record in rows.items()}
        if source == "CF_OBSERVATION":
            own = self._whole_notes(rows, own)
        for key, record in rows.items():
            verdict = own[key] or self._references(source, record) or ("loaded", None)
            if source == "CF_OBSERVATION" and verdict[0] == "loaded" and int(key[1]) > 1:
                verdict = ("combined", None)
            standing[key] = self.verdicts[source, record.line] = verdict

    def _keyed(self, source: str) -> dict[Key, Record]:
        rows: dict[Key, Record] = {}
        for record in self.tables[source]:
            if record.cause:
                self.verdicts[source, record.line] = ("rejected", record.cause)
                continue
            key = tuple(record.fields[name] for name in KEYS[source])
            if key in rows:
                self.verdicts[source, record.line] = ("rejected", "duplicate_key")
            else:
                rows[key] = record
        return rows

    def _rule(self, source: str, row: Row) -> Verdict | None:
        verdict = RULES[source](row) if source in RULES else None
        if verdict is None and source == "CF_DOCUMENT":
            digests = {record.fields["PATH"]: record.fields["SHA256"] for record in self.tables["documents"]}
            self._digests = getattr(self, "_digests", digests)
            found = self._digests.get(row["PATH"])
            if found is None:
                return "held", "file_missing"
            return None if found == row["SHA256"] else ("held", "file_changed")
        return verdict

    def _whole_notes(self, rows: dict[Key, Record], own: dict[Key, Verdict | None]) -> dict[Key, Verdict | None]:
        notes: dict[str, list[int]] = {}
        for note, seq in rows:
            notes.setdefault(note, []).append(int(seq))
        torn = {note for note, seqs in notes.items() if sorted(seqs) != list(range(1, len(seqs) + 1))}
        return {
            key: found or (("held", "missing_chunk") if key[0] in torn else None) for key, found in own.items()
        }

    def _references(self, source: str, record: Record) -> Verdict | None:
        found = [self._from_parent(*parent) for parent in _parents(source, record.fields)]
        failed = [verdict for verdict in found if verdict]
        if len(set(failed)) > 1:
            self.doubtful.append((source, record.line))
        return failed[0] if failed else None

    def _from_parent(self, source: str, key: Key) -> Verdict | None:
        verdict = self.standing[source].get(key)
        if verdict is None:
            return "rejected", "orphan"
        return None if verdict[0] == "loaded" else (verdict[0], "parent")

    def _files(self) -> None:
        pointed = {
            record.fields["PATH"]: self.verdicts["CF_DOCUMENT", record.line][0]
            for record in self.tables["CF_DOCUMENT"]
            if record.fields and self.verdicts["CF_DOCUMENT", record.line][0] == "loaded"
        }
        named = {record.fields["PATH"] for record in self.tables["CF_DOCUMENT"] if record.fields}
        for record in self.tables["documents"]:
            path = record.fields["PATH"]
            verdict = ("combined", None) if path in pointed else ("held", "unreferenced_file")
            self.verdicts["documents", record.line] = verdict
            assert path in pointed or path not in named, "a file whose rows all fail has no defined place"

    def dispositions(self) -> Judged:
        out: Judged = {}
        for source, records in self.tables.items():
            for record in records:
                place, cause = self.verdicts[source, record.line]
                key = "|".join(record.fields[name] for name in KEYS[source]) if record.fields else None
                out[source, record.line] = key, place, cause
        return out

    def values(self) -> set[tuple[str, int, str, str]]:
        """What is set aside or cut in rows that load."""
        out = set()
        for source, records in self.tables.items():
            for record in records:
                if self.verdicts[source, record.line][0] == "loaded":
                    out |= {(source, record.line, *finding) for finding in self._set_aside(source, record.fields)}
        return out

    def _set_aside(self, source: str, row: Row) -> Iterable[tuple[str, str]]:
        yield from (
            (column, "date") for column in DATES.get(source, ()) if row[column] and not parsed(row[column])
        )
        for column, table in OPTIONAL.get(source, {}).items():
            if row[column] and self.standing[table].get((row[column],), ("",))[0] != "loaded":
                yield column, "orphan"
        if source in ("CF_PERSON", "CF_ALIAS"):
            yield from ((column, "max_length") for column in ("SURNAME", "FORENAMES") if len(row[column]) > 30)
        if source == "CF_PERSON":
            yield from _set_aside_of_a_person(row)
        postcode = row.get("POSTCODE", "").upper()
        if postcode and not re.fullmatch(r"TK\d\d? ?\d[ABD-HJLNP-UW-Z]{2}", postcode):
            yield "POSTCODE", "postcode"


def _set_aside_of_a_person(row: Row) -> Iterable[tuple[str, str]]:
    lists = {"ETHNIC_CODE": "ethnicity", "RELIGION_CODE": "religion", "LANG_CODE": "language",
             "MARITAL_CODE": "marital_status"}  # fmt: skip
    for column, name in lists.items():
        if row[column] and _unmapped(row, column, name):
            yield column, "unmapped_code"
    if len(row["TITLE"]) > 8:
        yield "TITLE", "max_length"
    if row["NHS_NO"] and nhs_is_wrong(row["NHS_NO"]):
        yield "NHS_NO", "nhs_number"
    if row["UPN"] and upn_is_wrong(row["UPN"]):
        yield "UPN", "upn"
    if row["EMAIL"] and "@" not in row["EMAIL"]:
        yield "EMAIL", "email"
