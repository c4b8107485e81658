from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db.models.expressions import BaseExpression, Combinable
from django.utils.functional import _StrOrPromise

_Method = TypeVar("_Method", bound=Callable[..., Any])

def action(
    function: _Method,
    *,
    permissions: Iterable[str] | None = None,
    description: _StrOrPromise | None = None,
    url_path: str | None = None,
) -> _Method: ...
def display(
    *,
    boolean: bool | None = None,
    ordering: str | Combinable | BaseExpression | None = None,
    description: _StrOrPromise | None = None,
    empty_value: str | None = None,
    label: bool | str | Mapping[str, str] | None = None,
) -> Callable[[_Method], _Method]: ...
