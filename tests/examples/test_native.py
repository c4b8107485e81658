"""docs/examples/native: passkeys of an app, whose origin is the certificate that it is signed with."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from apps.factors.models import Passkey
from tests.examples.serving import EXAMPLES, Demo

NATIVE = EXAMPLES / "native"


def start(demo: Demo, script: Path, email: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, script, email],
        env={**os.environ, "GATEHOUSE_DEMO": str(demo.file)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(demo: Demo, app: "subprocess.Popen[str]", email: str) -> str:
    """What the app has said, once it was given the code in the mail."""
    said, _ = app.communicate(demo.mailbox.wait_for_code(email) + "\n", timeout=300)
    return said


def signed_otherwise(folder: Path) -> Path:
    """The app, signed with a certificate that the customer does not list."""
    place = folder / "docs" / "examples" / "native"
    shutil.copytree(NATIVE, place)
    for name in ("demo", "tests"):
        (folder / name).symlink_to(EXAMPLES.parent.parent / name)
    links = place / "assetlinks.json"
    links.write_text(links.read_text().replace('"95:D5', '"96:D5'))
    return place / "app.py"


def test_native(demo: Demo, tmp_path: Path) -> None:
    apps = {
        "grace@example.com": start(demo, NATIVE / "app.py", "grace@example.com"),
        "mallory@example.com": start(demo, signed_otherwise(tmp_path), "mallory@example.com"),
    }
    said = {email: finish(demo, app, email) for email, app in apps.items()}
    assert said["grace@example.com"].endswith("Signed in by passkey as grace@example.com.\n")
    assert "400 invalid_passkey" in said["mallory@example.com"]
    assert Passkey.objects.get(user__customer=demo.customer).user.email == "grace@example.com"


def test_what_is_published_for_phones_names_the_app_that_the_demo_knows() -> None:
    """Android asks the domain for `get_login_creds`; iOS for `webcredentials`."""
    [statement] = json.loads((NATIVE / "assetlinks.json").read_text())
    assert "delegate_permission/common.get_login_creds" in statement["relation"]
    association = json.loads((NATIVE / "apple-app-site-association").read_text())
    [name] = association["webcredentials"]["apps"]
    team, _, bundle = name.partition(".")
    assert (len(team), bundle) == (10, statement["target"]["package_name"])
