"""A coloured label: in lists, and, as its text alone, on the page of the row."""

from typing import NamedTuple

from apps.operators.words import Words


class Label(NamedTuple):
    """What a column with `@display(label={state: colour})` gives."""

    state: str
    text: Words

    def __str__(self) -> str:
        """unfold colours labels in lists alone. Elsewhere it writes what it is given."""
        return str(self.text)
