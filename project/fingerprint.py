"""The fingerprint of the code that makes a batch, so that nobody has to raise a number when code changes.

The fingerprint of a stage is a digest of its root module and of all modules of ours that it imports, directly or
through others, also those imported inside a function; and of the versions of the libraries that decide values.
Comments, docstrings and layout do not count. What is imported is read from the source, without running it.

Two kinds of module are left out. A package's `__init__` counts only where something is imported from it, for to
pass through a package decides nothing. What `_NO_VALUES` names decides no value of any batch.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path

from casebridge.project.batch import digest, write_text

PACKAGE = "casebridge"
FILE = "code.json"
"""What each source file was found to say, by the digest of its bytes."""


@dataclass(frozen=True)
class _StageCode:
    """Where a stage's code begins; libraries and files beside those that the imports name."""

    root: str
    libraries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


_DATABASES = ("psycopg", "sqlalchemy")
STAGES: Mapping[str, _StageCode] = {
    "extract": _StageCode("casebridge.extract.stage"),
    "transform": _StageCode("casebridge.transform.stage"),
    "dedupe": _StageCode("casebridge.dedupe.stage"),
    "load": _StageCode("casebridge.load.stage", _DATABASES),
    "reconcile": _StageCode(
        "casebridge.reconciliation.stage", _DATABASES, ("reconciliation/reporting/templates",)
    ),
}
LINKAGE = "linkage"
"""The part of dedupe that finds candidate pairs. It stands apart, for to link a register again takes long."""
_PARTS: Mapping[str, _StageCode] = {**STAGES, LINKAGE: _StageCode("casebridge.dedupe.candidates")}

_NO_VALUES = frozenset(
    {
        PACKAGE,  # the names of the public API
        "casebridge.project.errors",  # words errors: a better hint must not make a council's data pending
        "casebridge.project.fingerprint",  # another way to take fingerprints changes them anyway
    }
)
_CARRIERS = frozenset({"click", "filelock", "psycopg", "rich", "sqlalchemy", "tenacity"})
"""Libraries that carry values or show progress. A library that is not named here counts as one that decides."""
_BROUGHT_ALONG: Mapping[str, tuple[str, ...]] = {"petl": ("openpyxl",), "recordlinkage": ("numpy", "pandas")}
"""Libraries that another one calls for us."""


@dataclass(frozen=True)
class Fingerprint:
    """The code of one stage: a digest for each module of ours, a version for each library."""

    modules: Mapping[str, str]
    libraries: Mapping[str, str]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """The digest says all of it."""
        object.__setattr__(self, "digest", digest(dict(self.modules), dict(self.libraries)))


@dataclass(frozen=True)
class _Source:
    """What one file says: a digest of its code, and the dotted names that it imports."""

    code: str
    imports: tuple[str, ...]


class _Code:
    """The source files of a package, each looked at once."""

    def __init__(self, folder: Path, *kept: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, _Source] = {}
        for path in kept:
            self._known |= _read_known(path, self._made_by())
        self.parsed = 0
        self._sources: dict[str, _Source] = {}
        self._files = dict(_modules(self._folder))
        self._by_bytes: dict[str, _Source] = {}
        self.fingerprints = {name: self._fingerprint(part) for name, part in _PARTS.items()}

    def keep(self, kept: Path) -> None:
        """Write down what was found, for the next command."""
        if self._by_bytes != self._known:
            found = {key: [source.code, *source.imports] for key, source in sorted(self._by_bytes.items())}
            write_text(kept, json.dumps({"made_by": self._made_by(), "files": found}, indent=0) + "\n")

    def _made_by(self) -> str:
        """The grammar and this module: another of either may say otherwise of the same bytes."""
        return digest(_python(), _bytes_digest(Path(__file__).read_bytes()))

    def _fingerprint(self, part: _StageCode) -> Fingerprint:
        modules, libraries, ahead = dict[str, str](), set(part.libraries), [part.root]
        while ahead:
            name = self._module(ahead.pop())
            if name not in self._files:
                libraries |= {name, *_BROUGHT_ALONG.get(name, ())} - _CARRIERS
            elif name not in modules and name not in _NO_VALUES:
                source = self._source(name, self._files[name])
                modules[name] = source.code
                ahead += source.imports
        libraries -= sys.stdlib_module_names
        for folder in part.files:
            for path in sorted((self._folder / folder).iterdir()):
                modules[f"{folder}/{path.name}"] = _bytes_digest(path.read_bytes())
        versions = {name: library_version(name) for name in sorted(libraries)}
        return Fingerprint(dict(sorted(modules.items())), {"python": _python(), **versions})

    def _module(self, dotted: str) -> str:
        """The module of ours that a dotted name stands in, or a library's name."""
        first, *_ = dotted.split(".")
        if first != PACKAGE:
            return first
        while dotted not in self._files:
            dotted = dotted.rpartition(".")[0]
        return dotted

    def _source(self, name: str, path: Path) -> _Source:
        if name not in self._sources:
            text = path.read_bytes()
            key = _bytes_digest(text)
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            # A relative import means something else in another package.
            key = f"{key} {package}"
            found = self._known.get(key)
            self.parsed += found is None
            self._by_bytes[key] = self._sources[name] = found or read_source(text, package)
        return self._sources[name]


_of_this_process: list[Mapping[str, Fingerprint]] = []


def fingerprints(kept: Path | None = None, *, keep: bool = False) -> Mapping[str, Fingerprint]:
    """`fingerprints_in` the folder that this module stands in. The same for as long as the process lives, for what
    runs is what was there when it began."""
    if not _of_this_process:
        _of_this_process.append(_of_this_code(kept, keep=keep))
    return _of_this_process[0]


def _of_this_code(kept: Path | None, *, keep: bool) -> Mapping[str, Fingerprint]:
    """Kept beside the compiled code, for every project; in the project where this login may not write there."""
    folder = Path(__file__).parent.parent
    beside = Path(__file__).parent / "__pycache__" / FILE
    code = _Code(folder, beside, kept)
    if code.parsed and not sys.dont_write_bytecode and os.access(beside.parent, os.W_OK):
        with suppress(OSError):
            code.keep(beside)
            return code.fingerprints
    if code.parsed and kept and keep:
        code.keep(kept)
    return code.fingerprints


def fingerprints_in(folder: Path, kept: Path | None = None, *, keep: bool = False) -> Mapping[str, Fingerprint]:
    """The code of each stage, and of `LINKAGE`, of the package in a folder.

    kept: the file of what was found in the sources before, which saves parsing them again; with `keep` it is
    brought up to date.
    """
    code = _Code(folder, kept)
    if kept and keep:
        code.keep(kept)
    return code.fingerprints


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every module of ours and its file. In a checkout each room is a link, which a walk from above leaves out."""
    yield PACKAGE, folder / "__init__.py"
    for room in sorted(path for path in folder.iterdir() if (path / "__init__.py").is_file()):
        for at, _, names in os.walk(room):
            package = ".".join([PACKAGE, *Path(at).relative_to(folder).parts])
            for name in (name.removesuffix(".py") for name in names if name.endswith(".py")):
                yield (package if name == "__init__" else f"{package}.{name}"), Path(at) / f"{name}.py"


def version_and_commit() -> tuple[str, str | None]:
    """Casebridge's version; and the commit it was installed or is checked out from, None where that is not known.

    `+` behind a commit: files of the checkout differ from it.
    """
    commit = _installed_commit() or _checked_out_commit(Path(__file__).resolve().parents[1])
    return library_version(PACKAGE) or "not installed", commit


def _installed_commit() -> str | None:
    """What the installer wrote down, when it took the package from a repository."""
    try:
        origin = json.loads(metadata.distribution(PACKAGE).read_text("direct_url.json") or "{}")
    except (ValueError, metadata.PackageNotFoundError):
        return None
    commit = origin.get("vcs_info", {}).get("commit_id")
    return str(commit) if commit else None


def _checked_out_commit(root: Path) -> str | None:
    """The checkout's commit. An installed package stands in no checkout of its own, though it may in another's."""
    if not (root / ".git").exists():
        return None
    git = ["git", "--no-optional-locks", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run([*git, "diff-index", "--quiet", "HEAD"], capture_output=True, check=False)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ("+" if changes.returncode else "")


def rule_of(stage: str) -> str:
    """What a stage's code is called among the rules of a run."""
    return f"the code of {stage}"


def read_source(text: bytes, package: str) -> _Source:
    """What a source file says: its code without comments, docstrings and layout, and what it imports.

    package: the dotted name of the package that the file stands in, for relative imports.
    """
    tree = ast.parse(text)
    spelt: list[str] = []
    _spell(tree, spelt)
    return _Source(_bytes_digest("\n".join(spelt).encode()), tuple(sorted(set(_imports(tree, package)))))


def _spell(node: ast.AST, spelt: list[str]) -> None:
    """Type names and values of a tree, in order. A string that stands alone is a remark."""
    spelt.append(f"<{type(node).__name__}")
    for name in node._fields:
        if name in {"ctx", "kind", "type_comment"}:
            continue
        value = getattr(node, name, None)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, ast.AST):
                if not _is_remark(item):
                    _spell(item, spelt)
            else:
                spelt.append(repr(item))
        spelt.append("|")
    spelt.append(">")


def _is_remark(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """The dotted names that are imported anywhere below a node, save for a type checker only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - child.level + 1] if child.level else []
            within = ".".join([*parents, *([child.module] if child.module else [])])
            yield from (f"{within}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.If) and _for_type_checkers(child.test):
            for other in child.orelse:
                yield from _imports(ast.Module([other], []), package)
        else:
            yield from _imports(child, package)


def _for_type_checkers(test: ast.expr) -> bool:
    return (test.id if isinstance(test, ast.Name) else getattr(test, "attr", "")) == "TYPE_CHECKING"


def _read_known(kept: Path | None, made_by: str) -> dict[str, _Source]:
    """What earlier commands found; nothing where that cannot be used."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8")) if kept else {}
        if found.get("made_by") != made_by:
            return {}
        return {key: _Source(code, tuple(imports)) for key, (code, *imports) in found["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _bytes_digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _python() -> str:
    return "{}.{}".format(*sys.version_info)


def library_version(name: str) -> str:
    """The installed version of a library, empty where it is not installed."""
    found = _installed().get(_plain(name))
    if found is not None:
        return found
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


@cache
def _installed() -> Mapping[str, str]:
    """Name and version of what is installed, from the names of the folders that installers leave: to have each
    one's metadata read and parsed takes ten times as long."""
    found: dict[str, str] = {}
    for entry in map(Path, dict.fromkeys(sys.path)):
        names = [path.name for path in entry.glob("*.dist-info")] if entry.is_dir() else []
        for name, _, version in (item.removesuffix(".dist-info").partition("-") for item in sorted(names)):
            found.setdefault(_plain(name), version)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
