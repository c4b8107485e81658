"""Content-Security-Policy: what a page may load, and where its forms may lead.

An answer has the policy of the settings, which allows nothing, unless it was given one of its own by a page that needs more.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ParamSpec

from django.conf import settings
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"
Policy = Mapping[str, Sequence[str]]
Parameters = ParamSpec("Parameters")
NOTHING: Policy = {}


def text(*also: Policy, instead: Policy = NOTHING) -> str:
    """The policy of all answers. `instead`: directives that take the place of its own. `also`: sources beside its own."""
    directives = {**settings.CONTENT_SECURITY_POLICY, **instead}
    for policy in also:
        for name, sources in policy.items():
            directives[name] = [*directives.get(name, ()), *sources]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def bearing(
    policy: str,
) -> Callable[[Callable[Parameters, HttpResponseBase]], Callable[Parameters, HttpResponseBase]]:
    """For a view: its answers have this policy, unless they were given another."""

    def decorate(view: Callable[Parameters, HttpResponseBase]) -> Callable[Parameters, HttpResponseBase]:
        @wraps(view)
        def answer(*args: Parameters.args, **kwargs: Parameters.kwargs) -> HttpResponseBase:
            response = view(*args, **kwargs)
            response.headers.setdefault(HEADER, policy)
            return response

        return answer

    return decorate
