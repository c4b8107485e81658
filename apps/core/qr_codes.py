"""QR codes as pictures for pages."""


def drawn(text: str, *, title: str) -> str:
    """An SVG element, readable on dark pages too. What the text says shows in squares alone; the title is escaped."""
    import segno  # a megabyte, and few draw codes

    picture: str = segno.make(text, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff", title=title)
    return picture
