"""What a function has made of short texts is remembered, and what callers send does not fill the memory."""

from apps.core.short_texts import remembers_short_texts


def test_short_texts_are_remembered_by_all_arguments_and_long_ones_are_not() -> None:
    asked: list[tuple[str, int]] = []

    @remembers_short_texts(longest=3)
    def times(text: str, number: int) -> str:
        asked.append((text, number))
        return text * number

    for text, number in (("abc", 2), ("abc", 3), ("abcd", 2)):
        assert [times(text, number), times(text, number)] == [text * number] * 2
    assert asked == [("abc", 2), ("abc", 3), ("abcd", 2), ("abcd", 2)]


def test_no_more_than_so_many_are_kept() -> None:
    asked: list[str] = []

    @remembers_short_texts(longest=9, entries=2)
    def noted(text: str) -> str:
        asked.append(text)
        return text

    for text in ("a", "b", "c", "a"):
        noted(text)
    assert asked == ["a", "b", "c", "a"]
