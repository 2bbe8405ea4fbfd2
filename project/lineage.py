"""Where the columns of a query come from, read from the statement as DuckDB itself parses it.

A query of a spec or of linkage.toml is one SELECT over the tables it is given, and nothing else: no other
statement, no file, no table of the database's own. `Lineage` follows each column that it gives back to the
columns of those tables. What only chooses or joins rows (WHERE, ON, GROUP BY) gives no column.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import duckdb

Node = Mapping[str, Any]
Origin = tuple[str, str]
"""A table as the query calls it, and a column of it."""

_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})


@functools.cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A database without tables that only parses: to make one takes longer than a hundred statements."""
    return duckdb.connect(config={"threads": 1})


@functools.cache
def parsed(sql: str) -> dict[str, Any]:
    """A statement as DuckDB's own parser sees it; `error` in it says whether it could be read."""
    with _parser().cursor() as database:
        row = database.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row is not None
    tree: dict[str, Any] = json.loads(row[0])
    return tree


def refusals(sql: str, tables: Collection[str]) -> list[str]:
    """Why a query may not be asked of these tables; empty when it is one SELECT over them."""
    tree = parsed(sql)
    if tree["error"]:
        what = str(tree.get("error_message", "")).splitlines()[0]
        return ["must be one SELECT" if "Only SELECT" in what else f"the query fails: {what}"]
    if len(tree["statements"]) != 1:
        return [f"holds {len(tree['statements'])} statements, and must be one SELECT"]
    known = {name.lower() for name in tables} | {str(name).lower() for name in _named_queries(tree)}
    found = dict.fromkeys(_strange(tree, known))
    return [f"reads {what}: a query may read the tables that it is given, and no file" for what in found]


def _named_queries(node: object) -> Iterator[str]:
    for inside in _nodes(node):
        entries = inside.get("cte_map")
        for entry in entries.get("map", []) if isinstance(entries, dict) else []:
            yield entry["key"]


def _strange(tree: object, known: Collection[str]) -> Iterator[str]:
    for node in _nodes(tree):
        if node.get("type") == "BASE_TABLE":
            path = [part for part in (node["catalog_name"], node["schema_name"], node["table_name"]) if part]
            if len(path) > 1 or path[0].lower() not in known:
                yield f"`{'.'.join(path)}`"
        elif node.get("type") == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"])
            if name.lower() not in _TABLE_FUNCTIONS:
                yield f"`{name}()`"
        elif node.get("type") == "SHOW_REF":
            yield "what the database knows of itself"


def _nodes(node: object) -> Iterator[Node]:
    if isinstance(node, dict):
        yield node
        for inside in node.values():
            yield from _nodes(inside)
    elif isinstance(node, list):
        for inside in node:
            yield from _nodes(inside)


@dataclass(frozen=True)
class Lineage:
    """The columns of one query. `tables` gives a table's columns; None where they are not known, and then a name
    without a table in front is taken for a column of each of those."""

    sql: str
    tables: Mapping[str, Sequence[str] | None]

    def of(self, name: str) -> frozenset[Origin]:
        """The source columns that reach the output column `name`; none when there is no such output, or when it
        cannot be told."""
        tree = parsed(self.sql)
        if tree["error"] or len(tree["statements"]) != 1:
            return frozenset()
        given = {table.lower(): _Table(table, columns) for table, columns in self.tables.items()}
        return frozenset(_query(tree["statements"][0]["node"], given, None).trace(name))


class _Relation(Protocol):
    def trace(self, name: str, /) -> set[Origin]:
        """Where a column comes from."""

    def has(self, name: str, /) -> bool | None:
        """Whether there is such a column; None when nobody knows."""

    def whole(self) -> set[Origin]:
        """All that its columns come from."""


@dataclass(frozen=True)
class _Table:
    name: str
    columns: Sequence[str] | None

    def trace(self, name: str) -> set[Origin]:
        if self.columns is None:
            return {(self.name, name)}
        return {(self.name, column) for column in self.columns if column.lower() == name.lower()}

    def has(self, name: str) -> bool | None:
        return None if self.columns is None else bool(self.trace(name))

    def whole(self) -> set[Origin]:
        return {(self.name, column) for column in self.columns or ()}


@dataclass(frozen=True)
class _Values:
    """A table function or a list of values: every column comes from all of its arguments."""

    origins: frozenset[Origin]

    def trace(self, _: str) -> set[Origin]:
        return set(self.origins)

    def has(self, _: str) -> bool | None:
        return None

    def whole(self) -> set[Origin]:
        return set(self.origins)


@dataclass
class _Select:
    """One SELECT, or several put under one another, which share the names of the first."""

    node: Node
    named: Mapping[str, _Relation]
    above: _Scope | None
    aliases: Sequence[str] = ()
    _open: set[str] = field(default_factory=set)

    def trace(self, name: str) -> set[Origin]:
        if name.lower() in self._open:
            return set()
        self._open.add(name.lower())
        try:
            return self._trace(name)
        finally:
            self._open.discard(name.lower())

    def _trace(self, name: str) -> set[Origin]:
        place = self._place(name)
        origins: set[Origin] = set()
        for branch in self._branches:
            if place is not None and not any(_is_star(item) for item in branch.items):
                origins |= branch.at(place)
            else:
                origins |= branch.named(name)
        return origins

    def has(self, name: str) -> bool | None:
        first = self._branches[0]
        if self._place(name) is not None:
            return True
        return None if any(_is_star(item) for item in first.items) else False

    def whole(self) -> set[Origin]:
        return set().union(*(branch.at(n) for branch in self._branches for n in range(len(branch.items))))

    def _place(self, name: str) -> int | None:
        names = self.aliases or [_name_of(item) for item in self._branches[0].items]
        return next((n for n, known in enumerate(names) if known.lower() == name.lower()), None)

    @functools.cached_property
    def _branches(self) -> list[_Branch]:
        return [_Branch(node, _Scope.of(node, self.named, self.above)) for node in _selects(self.node)]


@dataclass
class _Branch:
    node: Node
    scope: _Scope

    @property
    def items(self) -> Sequence[Node]:
        items: Sequence[Node] = self.node["select_list"]
        return items

    def at(self, place: int) -> set[Origin]:
        return self.scope.origins(self.items[place]) if place < len(self.items) else set()

    def named(self, name: str) -> set[Origin]:
        origins: set[Origin] = set()
        for item in self.items:
            if _is_star(item):
                origins |= self.scope.star(item, name)
            elif _name_of(item).lower() == name.lower():
                origins |= self.scope.origins(item)
        return origins


@dataclass
class _Scope:
    """What a SELECT reads from, by the names it has there, and the scope around it."""

    relations: list[tuple[str, _Relation]]
    hidden: frozenset[str]
    named: Mapping[str, _Relation]
    above: _Scope | None

    @classmethod
    def of(cls, node: Node, named: Mapping[str, _Relation], above: _Scope | None) -> _Scope:
        """The scope of one SELECT."""
        scope = cls([], frozenset(), _with_named(node, named, above), above)
        scope.read(node["from_table"])
        return scope

    def read(self, table: Node) -> None:
        """Take in one part of FROM."""
        kind = table["type"]
        if kind == "JOIN":
            self.read(table["left"])
            before = len(self.relations)
            self.read(table["right"])
            if table["join_type"] in {"SEMI", "ANTI"}:
                self.hidden |= {alias for alias, _ in self.relations[before:]}
            return
        if kind == "BASE_TABLE":
            relation = self.named.get(str(table["table_name"]).lower(), _Values(frozenset()))
        elif kind == "SUBQUERY":
            relation = _query(table["subquery"]["node"], self.named, self, table["column_name_alias"])
        elif kind == "PIVOT":
            self.read(table["source"])
            return
        elif kind == "EMPTY":
            return
        else:
            relation = _Values(frozenset(self.origins(table.get("function") or table.get("values"))))
        alias = str(table.get("alias") or table.get("table_name") or "")
        self.relations.append((alias.lower(), relation))

    def star(self, item: Node, name: str) -> set[Origin]:
        """Where a column comes from that only `*` gives."""
        for entry in item["replace_list"]:
            if str(entry["key"]).lower() == name.lower():
                return self.origins(entry["value"])
        if name.lower() in {str(gone).lower() for gone in item["exclude_list"]} or item["rename_list"]:
            return set()
        of = str(item["relation_name"]).lower()
        seen = [r for alias, r in self.relations if alias == of or (not of and alias not in self.hidden)]
        return self._choose(seen, name)

    def origins(self, node: object, bound: frozenset[str] = frozenset()) -> set[Origin]:
        """All source columns that an expression reads."""
        if isinstance(node, list):
            return set().union(*(self.origins(item, bound) for item in node))
        if not isinstance(node, dict):
            return set()
        if node.get("class") == "COLUMN_REF":
            return self._resolved(node["column_names"], bound)
        if node.get("class") == "LAMBDA":
            names = {str(ref["column_names"][0]).lower() for ref in _nodes(node["lhs"]) if "column_names" in ref}
            return self.origins(node["expr"], bound | names)
        if node.get("class") == "SUBQUERY":
            inside = _query(node["subquery"]["node"], self.named, self).whole()
            return inside | self.origins(node.get("child"), bound)
        return set().union(*(self.origins(item, bound) for item in node.values()))

    def _resolved(self, names: Sequence[str], bound: frozenset[str]) -> set[Origin]:
        first = names[0].lower()
        if first in bound:
            return set()
        of_table = [relation for alias, relation in self.relations if alias == first]
        if of_table and len(names) > 1:
            return set().union(*(relation.trace(names[1]) for relation in of_table))
        found = self._choose([relation for _, relation in self.relations], names[0])
        if found:
            return found
        if of_table:
            return set().union(*(relation.whole() for relation in of_table))
        return self.above._resolved(names, bound) if self.above else set()

    @staticmethod
    def _choose(relations: Sequence[_Relation], name: str) -> set[Origin]:
        known = [relation for relation in relations if relation.has(name)]
        maybe = known or [relation for relation in relations if relation.has(name) is None]
        return set().union(*(relation.trace(name) for relation in maybe))


def _query(
    node: Node, named: Mapping[str, _Relation], above: _Scope | None, aliases: Sequence[str] = ()
) -> _Select:
    return _Select(node, _with_named(node, named, above), above, aliases)


def _with_named(node: Node, named: Mapping[str, _Relation], above: _Scope | None) -> Mapping[str, _Relation]:
    """The tables that a query knows: those around it, and those of its WITH, each seeing the ones before."""
    known = dict(named)
    for entry in node["cte_map"]["map"]:
        inside = entry["value"].get("query_node") or entry["value"]["query"]["node"]
        known[str(entry["key"]).lower()] = _query(inside, known, above, entry["value"]["aliases"])
    return known


def _selects(node: Node) -> Iterator[Node]:
    if node["type"] == "SELECT_NODE":
        yield node
        return
    children = node.get("children") or [node.get("left"), node.get("right")]
    for child in children:
        if child:
            yield from _selects(child)


def _is_star(item: Node) -> bool:
    return item.get("class") == "STAR"


def _name_of(item: Node) -> str:
    if item.get("alias"):
        return str(item["alias"])
    return str(item["column_names"][-1]) if item.get("class") == "COLUMN_REF" else ""
