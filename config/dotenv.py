"""Reads `.env`: one NAME=VALUE per line, each value taken as it is.

`$` means nothing, and neither does `#` within a line: comments have their own lines. Quotes around a whole value are not part of
it; within double quotes `\\"`, `\\\\`, `\\$` and `` \\` `` lose their backslash. So what stands in single quotes means the same here, to a
shell, to Compose and to systemd.
"""

import re

LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
SINGLE_QUOTED = re.compile(r"'([^']*)'")
DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
ESCAPED = re.compile(r'\\(["\\$`])')


class MalformedLine(ValueError):
    """A line that cannot be read. The message names only its number, since it may hold a secret."""


def parse(text: str) -> dict[str, str]:
    """The variables of a `.env`; if a name is there twice, the last counts. Raises MalformedLine."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = line.strip()  # noqa: PLW2901  (also the CR of Windows)
        if not line or line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if not found or "\0" in line:
            raise MalformedLine(f"line {number} is not of the form NAME=VALUE")
        values[found[1]] = _unquoted(found[2], number)
    return values


def _unquoted(value: str, number: int) -> str:
    if value[:1] not in ("'", '"'):
        return value
    single, double = SINGLE_QUOTED.fullmatch(value), DOUBLE_QUOTED.fullmatch(value)
    if single:
        return single[1]
    if double:
        return ESCAPED.sub(r"\1", double[1])
    raise MalformedLine(f"line {number} begins with a quote that does not close at the end of the line")
