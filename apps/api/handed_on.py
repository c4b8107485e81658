"""What a shortcut hands on to the view behind it, so that nothing is checked, counted or opened twice.

Shortcut and view ask the same function, the step. A shortcut asks it by `ask`. Where it cannot answer by itself, the view finds by
`outcome_of` what the step has given or raised. It lies in the request's environment (PEP 3333), as an object: what comes from
outside is text, and counts for nothing whatever its name.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeVar, cast

Found = TypeVar("Found")
Arguments = ParamSpec("Arguments")

IN_ENVIRONMENT = "gatehouse.handed_on"  # no header can claim this name: in the environment headers begin with HTTP_


@dataclass(slots=True)
class StepOutcome(Generic[Found]):
    """What a step has given, or the refusal (or failure) that it raised."""

    step: Callable[..., Found]
    found: Found | None = field(default=None, repr=False)  # tokens, say
    refusal: Exception | None = None

    def get(self) -> Found:
        """What the step has given. Raises what it raised."""
        if self.refusal is not None:
            raise self.refusal
        return cast("Found", self.found)  # which may be None


def ask(
    environ: MutableMapping[str, Any],
    step: Callable[Arguments, Found],
    /,
    *args: Arguments.args,
    **named: Arguments.kwargs,
) -> StepOutcome[Found]:
    """Ask the step, and hand on what comes of it. For shortcuts alone. Raises nothing: `get` does."""
    outcome = StepOutcome(step)
    try:
        outcome.found = step(*args, **named)
    except Exception as refusal:  # noqa: BLE001  (raised by `get`)
        outcome.refusal = refusal
    environ[IN_ENVIRONMENT] = outcome
    return outcome


def outcome_of(environ: Mapping[str, Any], step: Callable[..., Found]) -> StepOutcome[Found] | None:
    """What a shortcut has handed on of this step. None if it has not asked it."""
    outcome = environ.get(IN_ENVIRONMENT)
    return outcome if isinstance(outcome, StepOutcome) and outcome.step == step else None
