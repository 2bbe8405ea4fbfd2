"""A model that is kept: all that scores another register without training, written to a folder and read again.

What is global is here: both fitted mixtures (that which decides what is kept, and that which says p), third
records' chances, blocking rules and how they divide large blocks, the threshold, what is known of the values
(which are common, how columns are written), and how often each level stood among pairs of one person. So what is
said of a pair depends on the two records and the model.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.divisions import Division
from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import LinkOptions
from casebridge.dedupe.linkage.model.background import Background
from casebridge.dedupe.linkage.model.calibration import Curve, Number
from casebridge.dedupe.linkage.model.held_chance import HeldChance
from casebridge.dedupe.linkage.model.mixture import Component, Model
from casebridge.dedupe.linkage.model.namesakes import Namesakes
from casebridge.dedupe.linkage.model.patterns import Radix
from casebridge.dedupe.linkage.model.third_records import ThirdRecords
from casebridge.dedupe.linkage.own_files import own_json
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import SCALE, alone_of, holders
from casebridge.dedupe.linkage.register.known import Known, ValueTable
from casebridge.project.batch import write_text
from casebridge.project.private import private_files

FILE, FORMAT = "kept-model.json", 11
DRIFT_BITS, SELDOM, ERRORS = 1.5, 0.005, 4.0  # of one level: how far, how often at least, standard errors
MANY_UNKNOWN = 0.1  # share of a column's values, by which more are unknown than were
GROWTH, LEAST_ROWS = 4, 700
RELATED = "related"
MANY = 1_000  # numbers of an array, above which its bytes are written


@dataclass(frozen=True)
class KeptModel:
    """A model to score by. first: the mixture that decides which pairs are kept. final: that which says p.
    divisions: of each rule how it divides large blocks. known: what holds of the values as a whole. seen: of each
    comparison how often each level stands among pairs of one person, in the register it comes from. rows: how many
    that has. versions: of what it was made with."""

    first: Model
    final: Model
    thirds: ThirdRecords
    rules: tuple[tuple[str, ...], ...]
    divisions: tuple[Division, ...]
    known: Known
    max_block: int
    keep: float
    propose: float
    rows: int
    seen: tuple[NDArray[np.float64], ...]
    versions: dict[str, str]

    def save(self, folder: str | Path) -> None:
        """Write it into `folder`: one file, readable by its owner only. It holds no value of any record. Raises
        RegisterError where a file of that name is not a kept model."""
        file = Path(folder) / FILE
        own_json(file, "format", "model")
        with private_files():
            write_text(file, self._text)

    @cached_property
    def _text(self) -> str:
        return json.dumps({"format": FORMAT, "model": _plain(self)}) + "\n"

    @property
    def fingerprint(self) -> str:
        """Changes with anything in the model (sha256)."""
        return hashlib.sha256(self._text.encode()).hexdigest()

    def decided(self, options: LinkOptions) -> LinkOptions:
        """The options, with what this model says of how to score. Where the model knows no pairs on record as
        related, these are taken for decided different."""
        options = replace(
            options, rules=self.rules, max_block=self.max_block, keep=self.keep, propose=self.propose
        )
        if RELATED in self.final.comparisons:
            return options
        return replace(options, related=(), different_pairs=[*options.different_pairs, *options.related])

    def fitting(
        self, comparisons: Sequence[Comparison], register: Register, related: NDArray[np.uint64]
    ) -> list[Comparison]:
        """The comparisons of a register that this model is applied to: with that of related pairs, where it is of
        the model. Raises RegisterError as `fits` does."""
        found = list(comparisons)
        if RELATED in self.final.comparisons and found[-1].name != RELATED:
            found.append(register.kind.related(register, related))
        self.fits(found, register.size)
        return found

    def fits(self, comparisons: Sequence[Comparison], rows: int) -> None:
        """Raises RegisterError where a register's comparisons are not those that the model was fitted to, or
        where it is so much larger that comparing everybody with everybody, as the model does, would not end."""
        names, labels = tuple(c.name for c in comparisons), tuple(tuple(c.labels()) for c in comparisons)
        if () in self.rules and rows > GROWTH * max(self.rows, LEAST_ROWS):
            raise RegisterError(
                f"The kept model is of {self.rows:,} rows and compares everybody with everybody; the register has "
                f"{rows:,}.",
                "Train a new model.",
            )
        if names != self.final.comparisons:
            held, allowed = ", ".join(self.final.comparisons), ", ".join(names)
            raise RegisterError(
                f"The kept model compares {held}; the register allows {allowed}.",
                "Use the fields it was made with, or train a new model.",
            )
        unlike = [name for name, a, b in zip(names, labels, self.final.labels, strict=True) if a != b]
        if unlike:
            raise RegisterError(
                f"The kept model has other levels for {', '.join(unlike)}: the columns hold another kind of "
                "value.",
                "Train a new model.",
            )

    def drift(self, seen: Sequence[NDArray[np.float64]]) -> list[str]:
        """Warnings: levels that one person's records now show more or less often by DRIFT_BITS, beyond what luck
        explains, and other versions."""
        found = []
        for name, labels, before, now in zip(
            self.final.comparisons, self.final.labels, self.seen, seen, strict=True
        ):
            many = np.maximum(np.array([before.sum(), now.sum()]), 1.0)
            for label, *counts in zip(labels, before, now, strict=True):
                a, b = np.array(counts) / many
                bits = float(np.log2((b + 1e-4) / (a + 1e-4)))
                both = float(sum(counts) / many.sum())
                error = np.sqrt(both * (1 - both) * (1 / many).sum())
                if max(a, b) >= SELDOM and abs(bits) > DRIFT_BITS and abs(b - a) > ERRORS * error:
                    found.append(
                        f"Drift: {name}, {label!r} stands {2**bits:.2g} times as often as when the model was made."
                    )
        other = [name for name, version in made_with().items() if self.versions.get(name) != version]
        if other:
            found.append(f"The kept model was made with other versions of {', '.join(other)}.")
        return found


def unknown_values(register: Register) -> list[str]:
    """Warnings that many more records than in the register a kept model comes from hold a value that it does not
    know: such a value counts as one that a single record holds, and agreement on it for much. register: one that
    is read by a kept model."""
    found = []
    for role, dictionary in register.coded().items():
        before, column = register.known.facts.get(alone_of(role)), register.columns.get(role)
        codes = column[column >= 0] if column is not None else np.zeros(0, dtype=np.int32)
        if isinstance(before, int) and len(codes):
            then = before / SCALE
            now = float((holders(register, role, dictionary).counts[codes] == 1).mean())
            error = np.sqrt(now * (1 - now) / len(codes))
            if now - then > max(MANY_UNKNOWN, ERRORS * error):
                found.append(
                    f"Drift: {role}: {now:.0%} of the values are none that the model knows as common, {then:.0%} "
                    "when it was made. They count as rare, and agreement on them for too much: train a new model."
                )
    return found


def made_with() -> dict[str, str]:
    """Versions that the numbers of a model rest on."""
    return {"numpy": np.__version__, "polars": pl.__version__, "scipy": scipy.__version__}


def levels_seen(
    levels: NDArray[np.uint8], weight: NDArray[np.float64], comparisons: Sequence[Comparison]
) -> tuple[NDArray[np.float64], ...]:
    """How often each level of each comparison stands among pairs of one person; weight: pairs of one person of
    each pattern."""
    found = []
    for place, comparison in enumerate(comparisons):
        counts = np.bincount(levels[:, place], weights=weight, minlength=comparison.null + 1)[: comparison.null]
        found.append(counts.astype(np.float64))
    return tuple(found)


def read_kept(folder: str | Path) -> KeptModel:
    """The model kept in a folder. Raises RegisterError where there is none that can be read."""
    file = Path(folder) / FILE
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise RegisterError(f"{FILE} is of another format ({raw['format']}).", "Train a new model.")
        found = _made(raw["model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegisterError(f"No kept model can be read from {FILE} ({type(error).__name__}).") from error
    if not isinstance(found, KeptModel):
        raise RegisterError(f"{FILE} holds no model.")
    return found


_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        KeptModel, Model, Component, Background, Curve, Number, Radix, HeldChance, Namesakes, ThirdRecords,
        Division, Known, ValueTable,
    )
}  # fmt: skip


def _plain(value: Any) -> Any:
    """A value as JSON has it, with its kind beside. Floats are written so that they read back as they were."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "kind": type(value).__name__,
            "of": {f.name: _plain(getattr(value, f.name)) for f in fields(value)},
        }
    if isinstance(value, np.ndarray):
        held = b64encode(np.ascontiguousarray(value).tobytes()).decode() if value.size > MANY else value.tolist()
        return {"kind": "array", "type": value.dtype.str, "shape": list(value.shape), "of": held}
    if isinstance(value, dict):
        return {"kind": "dict", "of": [[_plain(key), _plain(held)] for key, held in value.items()]}
    if isinstance(value, tuple):
        return {"kind": "tuple", "of": [_plain(one) for one in value]}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _made(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_made(one) for one in raw]
    if not isinstance(raw, dict):
        return raw
    kind, held = raw["kind"], raw["of"]
    if kind == "array":
        whole = (
            np.frombuffer(b64decode(held), raw["type"]) if isinstance(held, str) else np.array(held, raw["type"])
        )
        return whole.reshape(raw["shape"])
    if kind == "dict":
        return {_made(key): _made(one) for key, one in held}
    if kind == "tuple":
        return tuple(_made(one) for one in held)
    return _KINDS[kind](**{name: _made(one) for name, one in held.items()})
