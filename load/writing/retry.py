"""What to do when a target stumbles: wait and go on where that helps, stop cleanly where it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_chain, wait_fixed

from casebridge.project.database import DRIVER_ERRORS
from casebridge.project.job import Reporter
from casebridge.project.locks import told_of
from casebridge.project.refusals import Refusal, refused

WAITS = (0.5, 1, 2, 4, 8, 15, 30, 60)
"""Seconds between attempts: a server that restarts is back within two minutes, or somebody must look."""

PASSING = ("08", "40", "57P", "55P03", "53300")
"""SQLSTATEs of what passes: a lost connection, a deadlock, a restart, a lock not given, no connection free."""


def transient(error: BaseException) -> bool:
    """Whether waiting may help."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    if state:
        return str(state).startswith(PASSING)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # A driver without a state could not speak to the server at all.
    return isinstance(original, psycopg.OperationalError) or "database is locked" in str(original)


def is_row_error(error: BaseException) -> bool:
    """Whether the error is about values: a row that the target does not take."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    if state:
        return str(state)[:2] in {"22", "23"}
    return type(original).__name__ in {"IntegrityError", "DataError"}


def in_transaction(
    engine: sa.Engine,
    work: Callable[[sa.Connection], None],
    done: Callable[[], bool],
    report: Reporter,
    tables: Collection[str] = (),
) -> None:
    """Do `work` in one transaction, again after what passes. `done` tells, after a lost connection,
    whether the commit had come through all the same; for work that may be done twice it may say no. `tables` are
    those of which it is said who locks them, when somebody does."""
    attempts = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, DRIVER_ERRORS) and transient(error)),
        wait=wait_chain(*(wait_fixed(seconds) for seconds in WAITS)),
        stop=stop_after_attempt(len(WAITS) + 1),
        before_sleep=lambda state: report.note(
            f"{_trouble(engine, state, tables)}; trying again in {state.upcoming_sleep:g} s"
        ),
        reraise=True,
    )
    for attempt in attempts:
        with attempt:
            # The pool tries each old connection before it gives it out again.
            if attempt.retry_state.attempt_number > 1 and _came_through(engine, done):
                return
            with engine.begin() as connection:
                work(connection)


def _trouble(engine: sa.Engine, state: RetryCallState, tables: Collection[str]) -> str:
    """What is waited for, in words."""
    error = state.outcome.exception() if state.outcome else None
    if error is not None and refused(error) is Refusal.LOCKED:
        return f"the target is waited for: {told_of(engine, tables)}"
    return "the target does not answer"


def _came_through(engine: sa.Engine, done: Callable[[], bool]) -> bool:
    """Whether the target answers again, and has what the last attempt wrote."""
    try:
        with engine.connect():
            pass
        return done()
    except DRIVER_ERRORS as error:
        if not transient(error):
            raise
        return False


def repeatable() -> bool:
    """For `in_transaction`: what was done once may be done again."""
    return False
