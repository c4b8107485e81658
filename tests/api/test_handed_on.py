"""What a shortcut has found out goes to the view behind it, and nothing that comes from outside passes for it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.api import handed_on
from apps.api.forward_auth import verdict
from apps.core.errors import GatehouseError
from tests.api.auth.two_ways import Application, Asking, ask, by_view

ROOT = Path(__file__).resolve().parent.parent.parent
# granian passes its own environment on to each request, and the headers beside it.
TEXTS = ["", "true", "[]", repr(handed_on.StepOutcome(verdict.let_in))]
NAMES = [
    handed_on.IN_ENVIRONMENT,
    *(f"HTTP_{name}" for name in ("GATEHOUSE.HANDED_ON", "GATEHOUSE_HANDED_ON", "X_GATEHOUSE_HANDED_ON")),
]


def half(number: int) -> int:
    if number % 2:
        raise GatehouseError
    return number // 2


def third(number: int) -> None:
    """Gives None, which is an outcome, too."""


def test_what_was_given_or_raised_is_handed_on() -> None:
    environ: dict[str, object] = {}
    assert handed_on.outcome_of(environ, half) is None
    assert handed_on.ask(environ, half, 8).get() == 4
    handed = handed_on.outcome_of(environ, half)
    assert handed is not None
    assert handed.get() == 4
    handed_on.ask(environ, half, 7)
    refused = handed_on.outcome_of(environ, half)
    assert refused is not None
    with pytest.raises(GatehouseError):
        refused.get()


def test_each_step_has_its_own_outcome() -> None:
    environ: dict[str, object] = {}
    handed_on.ask(environ, third, 1)
    assert handed_on.outcome_of(environ, half) is None
    assert handed_on.outcome_of(environ, third) is not None


def test_no_header_and_no_variable_passes_for_it() -> None:
    for text in TEXTS:
        assert handed_on.outcome_of(dict.fromkeys(NAMES, text), half) is None


CALLS = [
    Asking(method="GET", path="/verify", content_type=""),
    Asking(method="GET", path="/api/auth/me", content_type=""),
    Asking(b"{}", path="/api/auth/refresh"),
    Asking(b"{}", path="/api/auth/request-otp"),
    Asking(b"{}", path="/api/auth/verify-otp"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asking", CALLS, ids=lambda asking: asking.path)
def test_nobody_gets_in_by_saying_that_a_shortcut_has_let_them_in(asking: Asking) -> None:
    said = dict.fromkeys(NAMES, "true")
    application = by_view()
    refused = ask(saying(said, application), asking)
    assert refused.status[:3] in {"400", "401"}
    assert refused.error_type == ask(application, asking).error_type


def saying(said: dict[str, str], application: Application) -> Application:
    return lambda environ, start_response: application({**environ, **said}, start_response)


def test_nothing_but_a_shortcut_hands_anything_on() -> None:
    assert list(places(calls_of_the_writer)) == ["apps/api/forward_auth/shortcut.py", "apps/api/shortcut.py"]


def test_little_is_written_into_a_requests_environment() -> None:
    """Each by one module, under a name of its own."""
    assert list(places(writes_to_an_environment)) == [
        "apps/api/authentication/token_check.py",  # the envelope of a genuine token
        "apps/api/early_request.py",  # the body, to be read again
        "apps/api/handed_on.py",
        "apps/core/body_length.py",  # the body, measured
        "apps/core/requests.py",  # RequestFacts
    ]


NAMED = re.compile(r"META|environ\b|handed_on")  # parsing all files takes long


def places(found_in: Callable[[ast.AST], bool]) -> Iterator[str]:
    for path in sorted((ROOT / "apps").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if NAMED.search(text) and any(map(found_in, ast.walk(ast.parse(text)))):
            yield path.relative_to(ROOT).as_posix()


def calls_of_the_writer(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "handed_on.ask"


def writes_to_an_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and node.attr in {"update", "setdefault"}:
        return is_environment(node.value)
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and is_environment(node.value)


def is_environment(node: ast.AST) -> bool:
    return ast.unparse(node).endswith(("META", "environ"))
