"""The account at a glance, and the ways to everything that can be changed."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import text_languages
from apps.customers.policy import SecondFactorPolicy
from apps.factors import overview
from apps.factors.methods import RECOVERY_CODE
from apps.factors.overview import Factors
from apps.portal.account.page import AccountPage
from apps.signin import passwords, remembered_devices
from apps.users.state import UserState


@dataclass(frozen=True)
class OverviewRow:
    """A page of the account, and what there is of its subject now."""

    page: str
    name: str
    value: str | Promise = ""


@dataclass(frozen=True)
class OverviewGroup:
    name: str
    rows: tuple[OverviewRow, ...]


class OverviewPage(AccountPage):
    template = "portal/account/overview.html"
    heading = gettext_lazy("Your account")
    is_top = True

    def facts(self) -> dict[str, Any]:
        found = overview.of(self.user)
        demands_factor = self.customer.second_factor != SecondFactorPolicy.OPTIONAL
        return {
            "groups": (self._ways_in(found), self._whereabouts(), _oneself(self.here.user), _data()),
            "is_pending": not self.here.user.is_active,
            "factor_missing": demands_factor and not found.enrolled.has_usable,
            "codes_missing": found.enrolled.has_any and RECOVERY_CODE not in found.enrolled.methods,
        }

    def _ways_in(self, found: Factors) -> OverviewGroup:
        number = found.phone.hint if found.phone else _("not set up")
        return OverviewGroup(
            _("How you sign in"),
            (
                OverviewRow("email", _("Email address"), self.here.user.email),
                OverviewRow(
                    "password", _("Password"), _("set up") if passwords.exists(self.here.user.id) else _("not set up")
                ),
                OverviewRow("passkeys", _("Passkeys"), _counted(len(found.passkeys))),
                OverviewRow(
                    "authenticator-app", _("Authenticator app"), _("set up") if found.app_since else _("not set up")
                ),
                OverviewRow("phone", _("Codes by SMS"), number),
                OverviewRow("recovery-codes", _("Recovery codes"), _left(found.recovery_codes_left)),
            ),
        )

    def _whereabouts(self) -> OverviewGroup:
        number = self.living_sessions().count()
        signed_in = ngettext("on this browser", "on %(number)d devices", number) % {"number": number}
        rows = [OverviewRow("sessions", _("Devices and apps"), signed_in)]
        if self.customer.remember_device_days:
            remembered = remembered_devices.living(self.user, customer=self.customer, now=self.context.now)
            rows.append(OverviewRow("devices", _("Remembered devices"), str(len(remembered))))
        return OverviewGroup(_("Where you are signed in"), tuple(rows))


def _oneself(user: UserState) -> OverviewGroup:
    return OverviewGroup(
        _("About you"),
        (OverviewRow("name", _("Name and language"), ", ".join(filter(None, (user.name, _language(user))))),),
    )


def _data() -> OverviewGroup:
    return OverviewGroup(
        _("Your data"), (OverviewRow("data", _("Download your data")), OverviewRow("delete", _("Delete your account")))
    )


def _language(user: UserState) -> str:
    return str(dict(settings.LANGUAGES).get(text_languages.served_by(user.locale), "")) if user.locale else ""


def _counted(number: int) -> str:
    return str(number) if number else _("not set up")


def _left(number: int) -> str:
    return ngettext("%(number)d left", "%(number)d left", number) % {"number": number} if number else _("not set up")
