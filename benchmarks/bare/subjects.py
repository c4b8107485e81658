"""The baselines, as the jobs measure them."""

from benchmarks import load
from benchmarks.load import Requests
from benchmarks.servers import Application, granian
from benchmarks.subject import Subject


class Bare(Subject):
    settings: str

    def application(self) -> Application:
        return granian("benchmarks.bare.wsgi:application", environment={"DJANGO_SETTINGS_MODULE": self.settings})

    def who_am_i(self) -> Requests:
        return load.write(self.folder / "me.requests", [load.request("GET", "/api/auth/me")])


class BareDrf(Bare):
    name = "bare_drf"
    title = "bare DRF: APIView, seven middlewares, no authentication"
    settings = "benchmarks.bare.drf_settings"


class BareView(Bare):
    name = "bare_view"
    title = "bare view: Django alone, no middleware"
    settings = "benchmarks.bare.view_settings"
