"""QR codes for pages."""

from xml.etree import ElementTree as ET

from apps.core import qr_codes

SECRET = "otpauth://totp/Gatehouse:ada?secret=JBSWY3DPEHPK3PXP"


def test_a_picture_shows_its_text_in_squares_alone() -> None:
    """And a title that looks like markup is none."""
    picture = qr_codes.drawn(SECRET, title="<script>")
    title, squares = ET.fromstring(picture)  # noqa: S314  (drawn by us)
    assert (title.tag, title.text, len(title)) == ("title", "<script>", 0)
    assert len(squares) == 2, "the ground, and what is dark on it"
    assert "otpauth" not in picture
    assert "JBSWY3DPEHPK3PXP" not in picture


def test_it_is_dark_on_light_with_the_margin_that_cameras_look_for() -> None:
    """Four squares wide (ISO/IEC 18004), on dark pages too."""
    ground, dark = ET.fromstring(qr_codes.drawn(SECRET, title=""))[-1]  # noqa: S314
    assert (ground.get("fill"), dark.get("stroke")) == ("#fff", "#000")
    assert str(dark.get("d")).startswith("M4 4.5")
