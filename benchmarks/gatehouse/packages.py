"""Production's packages in an environment of their own, as the image has them; compiled, as they are there."""

from benchmarks.bench import Bench
from benchmarks.peers import installing
from config.environment import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".bench" / "production"


def python(bench: Bench) -> str:
    """The Python that has them. Raises PeerFailed."""
    installed = installing.of_python(FOLDER, PROJECT_ROOT / "requirements" / "base.txt", "--compile-bytecode")
    if not installed.is_current:
        bench.say("  installing production's packages …")
        installing.install([installed])
    return str(FOLDER / "bin" / "python")
