"""Installs a lock file into the environment of the Python that runs this: `python requirements/install.py requirements/test.txt`.

By uv, which takes seconds, and where uv cannot be had by pip, which takes minutes. A lock names every package and its hashes, so
nothing is resolved (`--no-deps`): pip before 23.3 asks for newer releases of whatever a lock names with an extra, and stops there
(pypa/pip#12345). That the lock is complete, and its packages fit together, is checked afterwards.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UV_LOCK = Path(__file__).with_name("uv.txt")
FROM_LOCK = ("--no-deps", "--require-hashes", "--requirement")
# Some hosts set PIP_USER, which a virtual environment refuses.
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PIP_INSTALL = (*PIP, "install", "--no-user", "--progress-bar", "off")
UV = (sys.executable, "-m", "uv", "pip")
PYTHON = ("--python", sys.executable)
SIGN_OF_LIFE_SECONDS = 15
TAIL_LINES = 25


def main(lock: Path) -> int:
    started = time.monotonic()
    say(f"Installing {number_of_packages(lock)} packages from {lock}, each checked against its hash:")
    if not (install_by_uv(lock) or install_by_pip(lock)):
        say("  It failed: see above. The same command tries again; after `make clean` in a new environment.")
        return 1
    say(f"  Installed after {time.monotonic() - started:.0f} s.")
    return 0


def install_by_uv(lock: Path) -> bool:
    return (
        done("Getting uv, a fast installer (20 MB)", *PIP_INSTALL, "--only-binary", ":all:", *FROM_LOCK, str(UV_LOCK))
        and done(
            "Installing by uv (seconds, and the time of the download)", *UV, "install", *PYTHON, *FROM_LOCK, str(lock)
        )
        and done("Checking that all are there and fit together", *UV, "check", *PYTHON)
    )


def install_by_pip(lock: Path) -> bool:
    say("  uv could not do it, so pip does, which may take some minutes.")
    return done("Installing by pip", *PIP_INSTALL, *FROM_LOCK, str(lock)) and done(
        "Checking that all are there and fit together", *PIP, "check"
    )


def done(what: str, *command: str) -> bool:
    """Whether the command has succeeded. Says what is being done, now and then that it still is, and why it failed."""
    say(f"  {what} …")
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        while True:
            try:
                status = process.wait(SIGN_OF_LIFE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                say(f"    … {time.monotonic() - started:.0f} s")
        if status:
            output.seek(0)
            say("\n".join(output.read().splitlines()[-TAIL_LINES:]))
    return status == 0


def number_of_packages(lock: Path) -> int:
    return len(re.findall(r"^[\w.\-\[\],]+==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
