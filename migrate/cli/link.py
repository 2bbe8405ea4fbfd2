"""`casebridge link`: the linkage engine on any register, no project needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import polars as pl

from casebridge.dedupe.linkage import (
    PERSON,
    Fields,
    Linkage,
    RegisterError,
    evaluate,
    kind_of,
    link,
    read_fields,
    write_evaluation,
)
from casebridge.dedupe.linkage.model.kept import read_kept
from casebridge.dedupe.linkage.result import refuse_others_results
from casebridge.dedupe.linkage.scoring.zones import SAME, ZONES
from casebridge.migrate.cli.options import json_option
from casebridge.migrate.cli.progress import progress
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.drafting.fields import fields_text, guess_fields, not_compared
from casebridge.migrate.drafting.one_file import read_one_file, short_lines
from casebridge.project.batch import write_text
from casebridge.project.errors import CasebridgeError, SourceError, counted
from casebridge.project.lines import refuse_long_lines


@click.command(name="link")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--fields", "fields_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Which column plays which part (docs/linkage.md). Without it that is guessed from what the "
              "columns are called and hold, told, and written to DIR/fields.toml.")  # fmt: skip
@click.option(
    "--kind",
    help="What the register holds, if --fields does not say: person, organisation, address …",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where results go.")
@click.option("--truth", metavar="COLUMN", help="A column that says who is who, to judge the result by.")
@click.option(
    "--save-model",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the model in DIR, to score other registers by.",
)
@click.option(
    "--model",
    "model_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Train nothing: score by the model kept in DIR, and say how far the register has drifted.",
)
@click.option("--second-opinion", is_flag=True, help="Ask recordlinkage's ECM too, which takes some seconds.")
@json_option
def link_register(
    file: Path,
    fields_file: Path | None,
    kind: str | None,
    out: Path,
    truth: str | None,
    save_model: Path | None,
    model_folder: Path | None,
    second_opinion: bool,
    as_json: bool,
) -> None:
    """Link a register in a file (CSV, Parquet, workbook …); no project needed."""
    try:
        refuse_others_results(out)
        register, warnings = _read(file)
        fields = read_fields(fields_file, kind) if fields_file else _guessed(register, kind, truth, out)
        kept = read_kept(model_folder) if model_folder else None
        with progress() as shown:
            found = link(register, fields, progress=lambda step, facts: shown.note(_line(step, facts)), kept=kept)
        found = _asked_twice(found) if second_opinion else found
        found.write(out)
        if save_model and found.kept:
            found.kept.save(save_model)
        result = evaluate(found, register, fields, truth) if truth else None
    except FileNotFoundError as error:
        raise SourceError(str(error.filename), "no such file", hint="check the path") from error
    except RegisterError as error:
        raise CasebridgeError(error.what, hint=error.hint) from error
    if result is not None:
        write_evaluation(result, found.model, out)
    propose = float(found.model["thresholds"]["propose"])
    put_forward = found.pairs.filter(pl.col("p_same") >= propose).height
    zones = {zone: found.pairs.filter(pl.col("zone") == zone).height for zone in ZONES}
    told: dict[str, Any] = {"pairs": found.pairs.height, "put_forward": put_forward, "threshold": propose,
    "zones": zones,
                            "warnings": [*warnings, *found.model.get("warnings", [])]}  # fmt: skip
    if second_opinion:
        told["second_opinion"] = found.diagnostics["second_opinion"]
    if as_json:
        show_json(told | ({"evaluation": result} if result is not None else {}))
        return
    for warning in told["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    if second_opinion:
        click.echo(_opinion(told["second_opinion"]))
    click.echo(f"{put_forward:,} pairs are put forward as {kind_of(fields).same} (p ≥ {propose:.3f})")
    told_zones = ", ".join(f"{zone} {many:,}" for zone, many in zones.items())
    click.echo(f"zones: {told_zones}; clusters join {SAME} only")
    if result is not None:
        click.echo(f"of these: {_judged(result, 'proposed')}")
        click.echo(f"of zone {SAME}: {_judged(result, 'same')}")
        click.echo(f"evaluation: {out / 'evaluation.html'}")
    click.echo(f"results: {out}")


def _guessed(register: pl.DataFrame | pl.LazyFrame, kind: str | None, truth: str | None, out: Path) -> Fields:
    """The fields by what the columns are called and hold, told and written down for who corrects them."""
    path = out / "fields.toml"
    if path.exists():
        raise CasebridgeError(
            f"{path} is there already: it may have been corrected",
            hint=f"give it as --fields {path}, or delete it",
        )
    columns = [name for name in register.lazy().collect_schema().names() if name != truth]
    fields = guess_fields(register, columns, kind or PERSON.name)
    write_text(path, fields_text(fields, columns))
    told = ", ".join(f"{role} = {column}" for role, column in {"id": fields.id, **fields.roles}.items())
    click.echo(f"guessed by what the columns are called and hold: {told}", err=True)
    if fields.other:
        click.echo(f"compared as they stand: {', '.join(fields.other.values())}", err=True)
    if unread := not_compared(fields, columns):
        click.echo(f"not compared: {', '.join(unread)}", err=True)
    click.echo(f"look it over, correct it, and give it as --fields {path} next time", err=True)
    return fields


def _judged(result: Mapping[str, Any], which: str) -> str:
    """Precision, recall and F1 in one line; of no pair at all there is no precision."""
    at = result[which]
    some = result["true_pairs"] - at["missed"] + at["false"]
    precision = f"{at['precision']:.1%}" if some else "of no pair"
    return f"precision {precision}, recall {at['recall']:.1%}, F1 {at['f1']:.1%}"


def _opinion(told: Mapping[str, Any]) -> str:
    if told["ran"]:
        return f"recordlinkage's ECM calls {told['agree']:.1%} of the pairs alike"
    return f"no second opinion: recordlinkage's ECM was not asked, for {told['reason']}"


def _asked_twice(found: Linkage) -> Linkage:
    """The linkage with recordlinkage's opinion in its diagnostics, and a warning where the two lie far apart."""
    from casebridge.dedupe.linkage.evaluation.second_opinion import (
        second_opinion,  # pandas and scikit-learn come with it
    )

    opinion = second_opinion(found.fitted, found.patterns, int(found.model["seed"]))
    warnings = list(found.model.get("warnings", []))
    if opinion.get("alarm"):
        warnings.append(
            f"recordlinkage's ECM agrees on {opinion['agree']:.0%} of the pairs only: look at the levels."
        )
    model = {**found.model, "warnings": warnings}
    return replace(found, model=model, diagnostics={**found.diagnostics, "second_opinion": opinion})


def _read(file: Path) -> tuple[pl.DataFrame | pl.LazyFrame, list[str]]:
    """Every column as text, and warnings; a Parquet file lazily, so that only the columns in use are read. What is
    no CSV in UTF-8 is read as the file of a dump would be, and told."""
    if not file.is_file():
        raise SourceError(file, "no such file", hint="check the path")
    try:
        if file.suffix.lower() in {".parquet", ".pq"}:
            lazy = pl.scan_parquet(file)
            lazy.collect_schema()
            return lazy, []
    except pl.exceptions.PolarsError as error:
        raise SourceError(file, f"cannot be read ({type(error).__name__})", hint="is it Parquet?") from error
    plain = _plain_csv(file) if file.suffix.lower() == ".csv" else None
    if plain is not None:
        records = plain.filter(~pl.all_horizontal(pl.all().is_null()))
        return records, _told_of_lines(short_lines(file, plain.width), plain.height - records.height)
    found = read_one_file(file)
    click.echo(f"{file.name} is read as {found.how}", err=True)
    lost = f"{counted(found.lost, 'line')} of the file can be read as no record, and take no part."
    faults = f"{counted(found.faults, 'cell')} with an error, or a formula without its result: no value."
    return found.records, [*([lost] if found.lost else []), *([faults] if found.faults else [])]


def _told_of_lines(short: int, empty: int) -> list[str]:
    lacking = f"{counted(short, 'line')} with fewer fields than the header: what they lack is missing."
    nothing = f"{counted(empty, 'line')} without any value: no record."
    return [*([lacking] if short else []), *([nothing] if empty else [])]


def _plain_csv(file: Path) -> pl.DataFrame | None:
    """A CSV in UTF-8 of which no line has more fields than its header; None for any other."""
    refuse_long_lines(file, str(file))
    try:
        frame = pl.read_csv(file, infer_schema=False, encoding="utf8")
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None
    return frame if frame.width > 1 else None


def _line(step: str, facts: Mapping[str, Any]) -> str:
    """One step of the linkage, with its counts."""
    parts = [f"{name.replace('_', ' ')} {value:,}" for name, value in facts.items()
             if isinstance(value, int) and not isinstance(value, bool)]  # fmt: skip
    return f"{step:<10} {', '.join(parts)} in {facts.get('seconds', 0):.1f} s"


COMMANDS: Mapping[str, click.Command] = {"link": link_register}
