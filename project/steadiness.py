"""Whether a query gives the same rows each time it is asked, read from the statement as DuckDB parses it.

A run may be stopped and go on, be replayed, and be counted again by an auditor who asks the query himself. So a
query may ask neither clock nor chance, and where it takes some of many rows it says which. What an ORDER BY leaves
open, two rows that it finds equal, cannot be seen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from casebridge.project.lineage import parsed

Node = Mapping[str, Any]

_CLOCKS = frozenset({
    "now", "today", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
    "current_localtime", "current_localtimestamp", "get_current_time", "get_current_timestamp",
    "transaction_timestamp",
})  # fmt: skip
_CHANCE = frozenset({"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "setseed"})
_SESSION = frozenset({
    "current_query", "current_query_id", "current_connection_id", "current_transaction_id", "txid_current",
    "current_setting", "getvariable", "nextval", "currval", "setval", "current_database", "current_schema",
    "current_schemas",
})  # fmt: skip
_BY_ORDER = frozenset({"first", "last", "string_agg", "group_concat", "listagg"})
_WINDOWS_BY_ORDER = frozenset({
    "WINDOW_ROW_NUMBER", "WINDOW_FIRST_VALUE", "WINDOW_LAST_VALUE", "WINDOW_NTH_VALUE", "WINDOW_LAG",
    "WINDOW_LEAD", "WINDOW_NTILE",
})  # fmt: skip

_FIRST = "say which rows come first, and let no two be equal"
CLOCK_HINT = "write the day as a constant, such as DATE '2026-04-01'"


_MAY_ASK = re.compile(rf"(?i)\b(?:{'|'.join([*_CLOCKS, *_CHANCE, *_SESSION])})\b")


def unsteady_expression(sql: str) -> list[tuple[str, str]]:
    """The same of an expression that is asked of each row."""
    return unsteady(f"SELECT {sql}") if _MAY_ASK.search(sql) else []


def unsteady(sql: str) -> list[tuple[str, str]]:
    """Why a query may give other rows the next time, each with what to do; empty for one that does not, or that
    cannot be parsed."""
    tree = parsed(sql)
    return [] if tree["error"] else list(dict.fromkeys(_found(tree)))


def _found(tree: object) -> Iterator[tuple[str, str]]:
    for node in _nodes(tree):
        yield from _of_call(node)
        yield from _of_rows(node)


def _of_call(node: Node) -> Iterator[tuple[str, str]]:
    name = str(node.get("function_name") or "").lower()
    column = node.get("column_names")
    if column and len(column) == 1:
        name = str(column[0]).lower() if str(column[0]).lower() in _CLOCKS else ""
    if name in _CLOCKS or (name == "age" and len(node.get("arguments") or ()) == 1):
        yield f"asks the clock: {name}", CLOCK_HINT
    elif name in _CHANCE and not column:
        yield f"asks chance: {name}", "make what tells rows apart from their columns, such as their key"
    elif name in _SESSION and not column:
        yield f"asks the session: {name}", "a query knows nothing but its tables"
    elif name in _BY_ORDER and node.get("class") == "FUNCTION" and not _orders(node.get("order_bys")):
        yield f"calls {name} without an order", f"write {name}(… ORDER BY …)"


def _of_rows(node: Node) -> Iterator[tuple[str, str]]:
    if node.get("sample"):
        yield "takes a sample of rows", "choose rows by WHERE"
    if str(node.get("type")) in _WINDOWS_BY_ORDER and not node.get("orders"):
        yield f"calls {node.get('function_name')} without an order", "write OVER (… ORDER BY …)"
    modifiers = node.get("modifiers")
    kinds = {item.get("type"): item for item in modifiers} if isinstance(modifiers, list) else {}
    if "ORDER_MODIFIER" in kinds:
        return
    if kinds.keys() & {"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"}:
        yield "has a LIMIT without an ORDER BY beside it", _FIRST
    if kinds.get("DISTINCT_MODIFIER", {}).get("distinct_on_targets"):
        yield (
            "has a DISTINCT ON without an ORDER BY beside it",
            "say which row comes first, and let no two be equal",
        )


def _orders(modifier: object) -> bool:
    return isinstance(modifier, dict) and bool(modifier.get("orders"))


def _nodes(node: object) -> Iterator[Node]:
    if isinstance(node, dict):
        yield node
        for inside in node.values():
            yield from _nodes(inside)
    elif isinstance(node, list):
        for inside in node:
            yield from _nodes(inside)
