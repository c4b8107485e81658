"""The house plan holds: arrows point down, and the dangerous libraries have one door each (CONTRIBUTING.md)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from django.apps import apps
from django.db.models import Model

from apps.core.owned import OwnedQuerySet

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "apps"
FRAMEWORK_NAMES = {"Meta", "Command"}  # which Django looks for by these names
LOOK_UPS = ("filter", "exclude", "get", "get_or_create", "update_or_create")


def test_imports_follow_the_plan() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_every_numbered_paragraph_of_the_contract_has_a_test_that_names_it() -> None:
    """In its docstring, as "C1.2: …"."""
    paragraphs = list(numbered_paragraphs())
    assert {"1.1", "2.1.5", "2.4.3", "3.10", "7.3"} <= set(paragraphs)
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"C(\d+(?:\.\d+)+)", texts))
    assert [paragraph for paragraph in paragraphs if paragraph not in named] == []


def numbered_paragraphs() -> Iterator[str]:
    """Those of docs/contract.md: the number of the heading they stand under, and their own."""
    under = ""
    for line in (ROOT / "docs" / "contract.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"##+ (\d+(?:\.\d+)?)\b", line):
            under = heading[1]
        if paragraph := re.match(r"(\d+)\. ", line):
            yield f"{under}.{paragraph[1]}"


def test_no_name_says_nothing() -> None:
    """No utils.py, helpers.py, common.py."""
    nameless = re.compile(r"^(utils?|helpers?|common|misc|manager)\.py$")
    assert [path for path in (ROOT / "apps").rglob("*.py") if nameless.match(path.name)] == []


def test_every_model_owned_by_a_customer_is_looked_up_by_customer() -> None:
    """Each model that leads to a customer has `objects.of(customer_id)`, and that asks for the customer it leads to."""
    owned = {model: ways for model in own_models() if (ways := ways_to_the_customer(model))}
    assert len(owned) > 20
    for model, ways in owned.items():
        assert isinstance(model._default_manager.all(), OwnedQuerySet), model
        assert model._default_manager.all().owner in ways, model
        wanted = uuid4()
        assert wanted in {child.rhs for child in model._default_manager.of(wanted).query.where.children}, model


def own_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def ways_to_the_customer(model: type[Model], *been: type[Model]) -> set[str]:
    """From a row to its customer's id, by the model's own column or by the rows it refers to."""
    ways = set()
    for field in model._meta.get_fields():
        target = field.related_model if field.concrete and (field.many_to_one or field.one_to_one) else None
        if field.concrete and getattr(field, "attname", "") == "customer_id":
            ways.add("customer_id")
        elif target is not None and target not in (model, *been):
            ways |= {f"{field.name}__{rest}" for rest in ways_to_the_customer(target, model, *been)}
    return ways


def test_no_query_is_scoped_by_hand() -> None:
    """What a customer owns is looked up by `objects.of(customer_id)`; there is no second way to write it."""
    by_hand = []
    for path in APPS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(text)) if re.search(r"\bcustomer(_id)?\s*=", text) else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in LOOK_UPS:
                by_hand += [
                    f"{path}:{call.lineno}" for word in call.keywords if word.arg in ("customer", "customer_id")
                ]
    assert by_hand == []


def test_base64url_has_one_door() -> None:
    """`core/base64url.py`, which knows one form of it; the standard library takes several."""
    by_hand = [
        path.relative_to(APPS).as_posix()
        for path in APPS.rglob("*.py")
        if re.search(r"urlsafe_b64|altchars", path.read_text(encoding="utf-8"))
    ]
    assert by_hand == ["core/base64url.py"]


def test_no_class_name_stands_in_two_rooms() -> None:
    """A name means one thing in the whole house. Private classes are seen in their own file alone."""
    rooms: dict[str, set[str]] = {}
    for path in APPS.rglob("*.py"):
        room, *rest = path.relative_to(APPS).parts
        if "migrations" in rest:
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if re.search(r"\bclass\s", text) else ():
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and node.name not in FRAMEWORK_NAMES:
                rooms.setdefault(node.name, set()).add(room)
    assert len(rooms) > 200
    assert {name: where for name, where in rooms.items() if len(where) > 1} == {}
