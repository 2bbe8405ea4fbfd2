"""Charts of a linkage as plain SVG: threshold curves, calibration, match weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, ROW, LEFT = 760, 22, 330
INK, GOOD, BAD, QUIET = "#1f2933", "#1f6f54", "#a33b2a", "#9aa5b1"


def weight_chart(model: Mapping[str, Any]) -> str:
    """An SVG of every level's weight: bits it speaks for (right) or against (left) one person."""
    rows = [(c["name"], lv["label"], lv["bits"]) for c in model["comparisons"] for lv in c["levels"]]
    rows += [("third_record", lv["label"], lv["bits"]) for lv in model.get("third_record", {}).get("levels", [])]
    most = max([abs(bits) for _, _, bits in rows] + [1.0])
    middle, scale = LEFT + (WIDTH - LEFT - 60) / 2, (WIDTH - LEFT - 130) / 2 / most
    body = [_line(middle, 0, middle, ROW * len(rows), QUIET)]
    for number, (name, label, bits) in enumerate(rows):
        body.append(_bar(number, middle + min(0.0, bits) * scale, abs(bits) * scale, GOOD if bits >= 0 else BAD))
        body.append(_text(4, number, f"{name}: {label}"))
        body.append(_text(middle + max(0.0, bits) * scale + 6, number, f"{bits:+.1f}"))
    return _svg(ROW * len(rows) + 6, body)


def threshold_chart(rows: Sequence[Mapping[str, float]]) -> str:
    """An SVG of precision, recall and F1 by threshold, 0.5 to 1 on the upright axis."""
    return _curves([(name, colour, [(r["p"], r[name]) for r in rows]) for name, colour in
                    (("precision", GOOD), ("recall", BAD), ("f1", INK))], 0.5)  # fmt: skip


def calibration_chart(rows: Sequence[Mapping[str, float]]) -> str:
    """An SVG of the share of true pairs against the mean score of each tenth; the line is perfect."""
    points = [(r["mean_p"], r["true_share"]) for r in rows]
    return _curves([("perfect", QUIET, [(0.0, 0.0), (1.0, 1.0)]), ("this linkage", INK, points)], 0.0)


def _curves(curves: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], lowest: float) -> str:
    size, pad = 300, 40
    body = [_line(pad, size, pad + size, size, INK), _line(pad, 0, pad, size, INK)]
    for number, (name, colour, points) in enumerate(curves):
        at = [(pad + x * size, size - max(0.0, y - lowest) / (1 - lowest) * size) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at]
        body.append(f'<text x="{pad + size + 20}" y="{20 + 18 * number}" fill="{colour}">{escape(name)}</text>')
    for mark in (lowest, (1 + lowest) / 2, 1.0):
        y = size - (mark - lowest) / (1 - lowest) * size
        body.append(f'<text x="4" y="{y + 12:.0f}" fill="{INK}">{mark:.2f}</text>')
    return _svg(size + 20, body)


def _svg(height: float, body: Sequence[str]) -> str:
    inner = "".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'font-family="system-ui, sans-serif" font-size="12" role="img">{inner}</svg>'
    )


def _bar(row: int, x: float, width: float, colour: str) -> str:
    place = f'x="{x:.1f}" y="{row * ROW + 4}" width="{max(width, 1):.1f}" height="{ROW - 8}"'
    return f'<rect {place} fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, row: int, text: str) -> str:
    return f'<text x="{x:.1f}" y="{row * ROW + 15}" fill="{INK}">{escape(text[:58])}</text>'


def page(result: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """evaluation.html: the figures and the plots, readable without a network."""
    proposed, clusters = result["proposed"], result["clusters"]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Linkage: evaluation</title>",
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;color:#1f2933}",
        "td,th{padding:.2rem .8rem;text-align:right}th:first-child,td:first-child{text-align:left}</style>",
        f"<h1>Linkage: evaluation</h1><p>{result['true_pairs']:,} true pairs, those lost to blocking "
        f"included. At the proposed threshold (p of {proposed['p']:.3f} or more): "
        f"precision {proposed['precision']:.4f}, "
        f"recall {proposed['recall']:.4f}, F1 {proposed['f1']:.4f}; as clusters F1 {clusters['f1']:.4f}. "
        f"Recall without a single false pair: {result['without_false_pairs']['recall']:.4f}.</p>",
        "<h2>By threshold</h2>", threshold_chart(result["by_threshold"]),
        _table(("p", "precision", "recall", "f1", "false", "missed"), result["by_threshold"]),
        "<h2>Is p what it says?</h2>", calibration_chart(result["calibration"]),
        _table(("tenth", "pairs", "mean_p", "true_share"), result["calibration"]),
    ]  # fmt: skip
    for name, rows in result["by_group"].items():
        parts += [
            f"<h2>By {escape(name)}</h2>",
            _table(("group", "records", "true_pairs", "recall", "precision"), rows),
        ]
    return "\n".join([*parts, "<h2>Match weights (bits)</h2>", weight_chart(model), "</html>\n"])


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_shown(row[c]))}</td>" for c in columns) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 10 else f"{value:,.0f}"
    return "not known" if value is None else str(value)
