"""What can be wrong with a register or its description. Messages never carry a person's data."""

from __future__ import annotations


class RegisterError(ValueError):
    """The register or its field list cannot be linked as given.

    `what` says what is wrong, `hint` what to do next. Column names and counts only, never values.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what} {hint}".strip())
        self.what = what
        self.hint = hint
