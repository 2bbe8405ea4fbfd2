"""Before somebody sees real pairs: the test on made-up ones, and who he and his family are."""

from __future__ import annotations

from starlette.responses import Response

from casebridge.dedupe.review.entrance_test import QUESTIONS, passed
from casebridge.dedupe.review.entrance_test import paper as paper_of
from casebridge.dedupe.review.family import RELATIONS, declare, declared_by, read_person
from casebridge.migrate.web.visit import Visit
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError


def _name(visit: Visit) -> str:
    """The paper that is this person's now: another one after each try, and nobody else's."""
    return visit.desk.log.keyed("paper", f"{visit.me.login}\n{visit.me.tries}")


def test(visit: Visit) -> Response:
    """The paper."""
    return visit.page("test.html", title="A short test", questions=paper_of(_name(visit)), tries=visit.me.tries,
                      told=())  # fmt: skip


def sit(visit: Visit) -> Response:
    """Judge the answers. Whoever does not pass is told why each pair was what it was, and has another paper
    next."""
    questions = paper_of(_name(visit))
    answers = {number: visit.form.get(f"answer{number}", "") for number in range(QUESTIONS)}
    if visit.form.get("tries") != str(visit.me.tries) or not all(answers.values()):
        return visit.to("/test")
    through = passed(questions, answers)
    visit.house.accounts.note_test(visit.me.login, passed=through)
    visit.noted("test", passed=through)
    if through:
        return visit.to("/family" if not declared_by(visit.desk.engine, visit.me.login) else "/")
    told = [(one.answer, one.why, answers[one.number] == one.answer) for one in questions]
    return visit.page("test.html", title="A short test", questions=(), tries=0, told=told)


def family(visit: Visit) -> Response:
    """Whom this person has declared."""
    return _family(visit)


def _family(visit: Visit, error: str = "", status: int = 200) -> Response:
    return visit.page(
        "family.html", status=status, title="Error: My family" if error else "My family", error=error,
        people=declared_by(visit.desk.engine, visit.me.login), relations=RELATIONS,
        typed={name: text[:100] for name, text in visit.form.items()} if error else {},
    )  # fmt: skip


def add(visit: Visit) -> Response:
    """Declare one more person. From the next page on what may be theirs is not there for him."""
    try:
        person = read_person(visit.me.login, visit.form)
    except CasebridgeError as error:
        return _family(visit, f"{error.message[0].upper()}{error.message[1:]}: {error.hint}.", 422)
    with writing(visit.desk.engine).begin() as connection:
        declare(connection, [person])
    visit.noted("family declared")
    return visit.to("/family")
