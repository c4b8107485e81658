"""A text with one character changed."""

from hypothesis import strategies as st

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CHARACTERS = ALPHABET + ".=+/ \n"


def changed_anywhere(text: str, data: st.DataObject) -> str:
    """What is drawn must not depend on the text, in which something is random: Hypothesis draws some data twice, and wants the same."""
    place = data.draw(st.integers(0, len(text) - 1))
    step = data.draw(st.integers(1, len(CHARACTERS) - 1))
    character = CHARACTERS[(CHARACTERS.index(text[place]) + step) % len(CHARACTERS)]
    return text[:place] + character + text[place + 1 :]
