"""The linkage engine: which records of a register stand for the same person.

from dedupe.linkage import link, read_fields
linkage = link(register, read_fields("FIELDS.toml"))
linkage.write("out")
"""

from dedupe.linkage.engine import Linkage, link
from dedupe.linkage.errors import RegisterError
from dedupe.linkage.evaluation import evaluate, write_evaluation
from dedupe.linkage.fields import Fields, LinkOptions, parse_fields, read_fields

__all__ = [
    "Fields",
    "LinkOptions",
    "Linkage",
    "RegisterError",
    "evaluate",
    "link",
    "parse_fields",
    "read_fields",
    "write_evaluation",
]
