"""What users of the demo do, step by step, one module a journey."""

from collections.abc import Mapping

from demo import screen
from demo.journeys import account, by_code
from demo.journeys.stage import Stage, StepFailed

__all__ = ["StepFailed", "perform"]


def perform(facts: Mapping[str, str]) -> None:
    """Both journeys. Raises StepFailed at the first surprise."""
    for journey in (by_code, account):
        stage = Stage(facts)
        screen.line()
        screen.title(journey.TITLE)
        journey.perform(stage)
    screen.line()
    screen.note("Every step was as it should be.")
