"""Peers of Python: an environment made by uv with our Python, served by granian with the flags of our Dockerfile and one worker."""

import re

from benchmarks.peers.installing import FOLDER, Installed, of_python
from benchmarks.peers.peer import Peer
from benchmarks.servers import Application, granian


class PythonPeer(Peer):
    """`target` and `interface`: what granian serves."""

    target: str
    interface: str

    @classmethod
    def version(cls) -> str:
        lock = (cls.source() / "requirements.txt").read_text()
        (found,) = re.findall(rf"^{cls.package}==(\S+)", lock, re.MULTILINE)
        return str(found)

    @classmethod
    def installed(cls) -> Installed:
        return of_python(FOLDER / cls.name, cls.source() / "requirements.txt")

    @classmethod
    def python(cls) -> str:
        return str(FOLDER / cls.name / "bin" / "python")

    def served(self) -> Application:
        return granian(self.target, environment=self.variables, interface=self.interface, python=self.python())

    def preparation(self) -> tuple[str, ...]:
        return (self.python(), "-m", f"benchmarks.peers.{self.name}.prepare")


class DjangoPeer(PythonPeer):
    """A project of Django."""

    target = "benchmarks.bare.wsgi:application"
    interface = "wsgi"

    def served(self) -> Application:
        settings = f"benchmarks.peers.{self.name}.settings"
        environment = {**self.variables, "DJANGO_SETTINGS_MODULE": settings}
        return granian(self.target, environment=environment, interface=self.interface, python=self.python())
