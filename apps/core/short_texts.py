"""A memory of what a function has made of short texts: the same few hosts, browsers and languages come again and again."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

More = ParamSpec("More")
Result = TypeVar("Result")
Function = Callable[Concatenate[str, More], Result]


def remembers_short_texts(
    *, longest: int, entries: int = 1024
) -> Callable[[Function[More, Result]], Function[More, Result]]:
    """For a function whose result follows from its arguments alone, and cannot be changed.

    `longest`: in characters of the first argument. What is longer is not remembered: what callers send must not fill the memory.
    """

    def decorate(function: Function[More, Result]) -> Function[More, Result]:
        remembered = cast("Function[More, Result]", lru_cache(maxsize=entries)(function))

        def answer(text: str, *more: More.args, **named: More.kwargs) -> Result:
            return (remembered if len(text) <= longest else function)(text, *more, **named)

        return cast("Function[More, Result]", wraps(function)(answer))

    return decorate
