"""The registry of formats. A new one is three functions and an entry in the dict at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from casebridge.extract.delimited import delimited_columns, examine_delimited, read_delimited
from casebridge.extract.dump import Part, Piece, SourceTable
from casebridge.extract.fixed import examine_fixed, fixed_columns, read_fixed
from casebridge.extract.json_records import examine_json, json_columns, read_json
from casebridge.extract.listing import examine_files, files_columns, read_files
from casebridge.extract.ods import examine_ods, ods_columns, ods_sheets, read_ods
from casebridge.extract.parquet import examine_parquet, parquet_columns, read_parquet
from casebridge.extract.sheet import SheetSeen, examine_sheet, read_sheet, sheet_columns, workbook_sheets
from casebridge.extract.xml_records import examine_xml, read_xml, xml_columns
from casebridge.project.spec import ReadSpec


@dataclass(frozen=True)
class Format:
    """How files of one format are read.

    `columns(path, name, read)` gives the names of a file's columns from its beginning; none where the file is a
    table of no rows that does not name them.
    `examine(path, name, read)` reads all of the file once, for its checksum and for what makes a file
    unfit to be read. Both raise SourceError, with `name` as the file, when it is none of this format.
    `records(table, part, first, after)` gives the records in order, numbered on from `first`. Those with
    numbers up to `after` are only to be counted; a reader may give them all the same.
    `sheets(path, name, read)`, of a format with sheets, gives all of them; SourceError as above.
    """

    columns: Callable[[Path, str, ReadSpec], tuple[str, ...]]
    examine: Callable[[Path, str, ReadSpec], Part]
    records: Callable[[SourceTable, Part, int, int], Iterator[Piece]]
    sheets: Callable[[Path, str, ReadSpec], tuple[SheetSeen, ...]] | None = None


FORMATS: Mapping[str, Format] = {
    "csv": Format(delimited_columns, examine_delimited, read_delimited),
    "fixed": Format(fixed_columns, examine_fixed, read_fixed),
    "xlsx": Format(sheet_columns, examine_sheet, read_sheet, workbook_sheets),
    "ods": Format(ods_columns, examine_ods, read_ods, ods_sheets),
    "json": Format(json_columns, examine_json, read_json),
    "xml": Format(xml_columns, examine_xml, read_xml),
    "parquet": Format(parquet_columns, examine_parquet, read_parquet),
    "files": Format(files_columns, examine_files, read_files),
}
