"""Hand-made CareFirst dumps: the rows a test cares about, in files that are otherwise empty but whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl

Row = Mapping[str, str]

HEADERS: Mapping[str, str] = {
    "CF_PERSON": "PI_NO SURNAME FORENAMES TITLE DOB DOB_EST_YN DOD EXP_DELIVERY SEX ETHNIC_CODE RELIGION_CODE "
    "LANG_CODE MARITAL_CODE NHS_NO UPN PHONE EMAIL CONTEXT CARESECURE_YN CREATED_ON CREATED_BY AMENDED_ON "
    "MAINFRAME_SEQ",
    "CF_ALIAS": "ALIAS_NO PI_NO ALIAS_TYPE SURNAME FORENAMES FROM_DT TO_DT",
    "CF_ADDRESS": "ADDR_NO PI_NO ADDR_TYPE LINE1 LINE2 LINE3 LINE4 POSTCODE UPRN FROM_DT TO_DT",
    "CF_NETWORK": "NET_NO PI_NO NET_TYPE OTHER_REF PR_YN FROM_DT TO_DT",
    "CF_OBSERVATION": "OBS_NO SEQ_NO PI_NO OBS_TYPE OBS_DT AUTHOR TEXT",
    "CF_ACTIVITY": "ACT_NO PI_NO ACT_TYPE STATUS DUE_DT DONE_DT WORKER_NO OUTCOME",
    "CF_AGREEMENT": "AGR_NO PI_NO AGR_TYPE STATUS FROM_DT TO_DT AUTH_BY",
    "CF_AGREEMENT_LINE": "AGR_NO LINE_NO SERVICE ELEMENT SUPPLIER UNIT QTY RATE FROM_DT TO_DT",
    "CF_PAYMENT": "PAY_NO AGR_NO LINE_NO SUPPLIER PERIOD UNITS AMOUNT PAID_DT INV_REF",
    "CF_WARNING": "WARN_NO PI_NO WARN_TYPE SEVERITY TEXT FROM_DT TO_DT",
    "CF_DOCUMENT": "DOC_NO PI_NO DOC_TYPE TITLE PATH SHA256 CREATED_ON CREATED_BY",
    "CF_CP_PLAN": "PLAN_NO PI_NO CATEGORY FROM_DT TO_DT",
    "CF_PLACEMENT": "PLACE_NO PI_NO PLACE_TYPE FROM_DT TO_DT",
    "CF_APPROVAL": "APPR_NO PI_NO APPR_TYPE FROM_DT TO_DT",
    "CF_FIN_PARTY": "PARTY_NO PI_NO ROLE FROM_DT TO_DT",
    "CF_INVOICE": "INV_NO PI_NO STATUS AMOUNT FROM_DT TO_DT",
    "CF_EDUCATION": "EDU_NO PI_NO SCHOOL FROM_DT TO_DT",
    "CF_RETENTION": "RET_NO PI_NO STATE FROM_DT",
    "CF_MERGE_REQ": "REQ_NO PI_NO STATUS FROM_DT",
    "CF_PROPERTY": "PROP_NO SUB_NO BUILDING NUMBER STREET TOWN POSTCODE UPRN",
    "CF_RESIDENT": "RES_NO PROP_NO PI_NO FROM_DT TO_DT",
    "CF_CODE": "DOMAIN CODE DESCRIPTION LIVE_YN FROM_DT TO_DT",
}
WORKER = {"WORKER_NO": 8, "SURNAME": 30, "FORENAMES": 30, "LOGIN": 12, "TEAM_NO": 8, "EMAIL": 60,
          "FROM_DT": 10, "TO_DT": 10, "PI_NO": 8}  # fmt: skip
ORG = ("ORG_NO", "NAME", "ORG_TYPE", "SECTOR", "PARENT_NO", "FINANCE_REF", "LIVE_YN")


def write_dump(
    folder: Path, tables: Mapping[str, Sequence[Row]], documents: Mapping[str, bytes] | None = None
) -> Path:
    """A dump with these rows; columns that a row leaves out are empty. There is always a worker, because an
    empty fixed-width file has nothing to tell it from a lost one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in HEADERS.items():
        (folder / f"{name}.csv").write_bytes(csv_bytes(header.split(), tables.get(name, ())))
    workers = tables.get("CF_WORKER") or [{"WORKER_NO": "00000001", "SURNAME": "Worker"}]
    lines = ["".join(row.get(name, "")[:n].ljust(n) for name, n in WORKER.items()) for row in workers]
    (folder / "CF_WORKER.txt").write_bytes("".join(line + "\r\n" for line in lines).encode("cp1252"))
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(ORG)
    for row in tables.get("CF_ORG", ()):
        sheet.append([row.get(column, "") for column in ORG])
    book.save(folder / "CF_ORG.xlsx")
    (folder / "documents").mkdir(exist_ok=True)
    for name, content in (documents or {}).items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def csv_bytes(header: Sequence[str], rows: Sequence[Row]) -> bytes:
    """A CSV file as CareFirst exports it: CP1252, CRLF, quotes only where they are needed."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("cp1252")
