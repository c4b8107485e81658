"""Production's packages are enough: an installation of requirements/base.txt alone, as the image is, loads every module of ours."""

import re

from tests.config.installation import CHECKOUT, GOOD, run_cold

LOAD = """
import pkgutil, sys
from importlib import import_module
from importlib.metadata import packages_distributions

known = set(sys.argv[1].split())
of = {name: {each.lower().replace("_", "-") for each in given} for name, given in packages_distributions().items()}

class OfTheTestsAlone:
    def find_spec(self, name, path=None, target=None):
        given = of.get(name.partition(".")[0], known)
        if not given & known:
            raise ImportError(f"{name} is in no package of requirements/base.txt")

sys.meta_path.insert(0, OfTheTestsAlone())
import_module("config.wsgi")
import_module("config.celery")
import apps
for module in pkgutil.walk_packages(apps.__path__, "apps."):
    import_module(module.name)
print(len([name for name in sys.modules if name.startswith("apps.")]))
print([name for name in ("authlib", "webauthn", "requests", "puremagic", "segno") if name in sys.modules])
"""


def test_no_module_needs_a_package_that_production_lacks() -> None:
    """kombu names `packaging`, which its transport for Valkey imports, as an extra only.

    And libraries of passkeys, OpenID Connect, file types and QR codes wait for the first who needs them.
    """
    lock = (CHECKOUT / "requirements" / "base.txt").read_text(encoding="utf-8")
    done = run_cold(GOOD, "-c", LOAD, " ".join(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)))
    assert done.returncode == 0, done.stderr
    loaded, others = done.stdout.splitlines()[-2:]
    assert int(loaded) > 300
    assert others == "[]", "each takes megabytes of every process, and few need it"
