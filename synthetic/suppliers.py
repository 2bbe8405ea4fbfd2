"""Organisations that were entered again by somebody who did not find them, as help-desk forms do."""

from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.slips import typo

SHARE: Final = 0.12  # of the suppliers
SHORT: Final = {"Care Home": "CH", "Nursing Home": "NH", "Day Centre": "Day Ctr", "Home Care": "Homecare"}


def entered_again(orgs: pl.DataFrame, first_number: int) -> pl.DataFrame:
    """Further records of suppliers: the columns of `orgs`, with numbers of their own from `first_number` on; and
    `of`, the number of the first record, and `errors`, what is different. The same organisations give the same
    records."""
    rng = np.random.default_rng(len(orgs))
    suppliers = orgs.filter(~pl.col("ORG_TYPE").is_in(["TEAM", "DEPT"]), pl.col("LIVE_YN") == "Y").rows(named=True)
    chosen = sorted(rng.choice(len(suppliers), max(3, round(SHARE * len(suppliers))), replace=False).tolist())
    rows = []
    for number, at in enumerate(chosen, first_number):
        told, errors = dict(suppliers[at]), list[str]()
        name, _, town = str(told["NAME"]).rpartition(", ")
        for error, chance in (("typo", 0.25), ("short_form", 0.35), ("legal_form", 0.5), ("note", 0.1)):
            changed = _written(name, error, rng) if rng.random() < chance else name
            if changed != name:
                name, errors = changed, [*errors, error]
        told["NAME"] = f"{name} ({town})" if rng.random() < 0.5 else f"{name}, {town}"
        if rng.random() < 0.5:
            told["FINANCE_REF"], errors = "", [*errors, "supplier_number_missing"]
        elif rng.random() < 0.4:
            told["FINANCE_REF"], errors = f"S{rng.integers(100000, 999999)}", [*errors, "supplier_number_other"]
        rows.append({**told, "ORG_NO": number, "of": told["ORG_NO"], "errors": errors})
    return pl.DataFrame(rows, schema={**orgs.schema, "of": pl.Int64, "errors": pl.List(pl.String)})


def _written(name: str, error: str, rng: np.random.Generator) -> str:
    if error == "typo":
        return typo(name, float(rng.random()))
    if error == "short_form":
        return next((name.replace(long, short) for long, short in SHORT.items() if long in name), name)
    if error == "legal_form":
        return f"The {name} Ltd" if rng.random() < 0.5 else f"{name} Limited"
    return f"{name} - DO NOT USE"
