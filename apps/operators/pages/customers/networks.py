"""Changing a customer's allowlist: what is typed, under the customer's lock, and who would be locked out by it."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.audit import sentence_texts
from apps.audit.models import Event, Outcome
from apps.core import ciphers, client_address
from apps.core.actors import is_operator
from apps.customers import lifecycle
from apps.customers.models import AllowedNetwork
from apps.customers.validation import canonical_network
from apps.operators.context import context_of_operator
from apps.operators.pages.customers.visit import Visit
from apps.operators.questions import Affected, Question

RECENT = timedelta(days=30)
MOST_EVENTS = 500  # of those that called lately
# What happens on requests that an app makes in the customer's name.
CALLS = (*sentence_texts.OF_SIGN_IN, *sentence_texts.OF_REFUSALS)
MOST_NAMED = 10  # addresses in a question
Networks = Mapping[str, str]  # network → note


class NetworkForm(forms.Form):
    """A network to add, or the new note of one that is there."""

    network = forms.CharField(
        label=lazy("Address or network"),
        max_length=64,
        help_text=lazy("203.0.113.9, 203.0.113.0/24 or 2001:db8::/32."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    note = forms.CharField(
        label=lazy("Note"),
        max_length=200,
        required=False,
        help_text=lazy("Whose it is, such as “office”."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    suggestion = ""  # the network that was probably meant

    @property
    def networks(self) -> Networks:
        return {self.cleaned_data["network"]: self.cleaned_data["note"]}

    def clean_network(self) -> str:
        text: str = self.cleaned_data["network"]
        try:
            return canonical_network(text)
        except ValidationError:
            self.suggestion = _network_of(text)
            raise

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        AllowedNetwork._meta.get_field("note").clean(note, None)
        return note


def replace(visit: Visit, more: Networks, *, without: str = "") -> bool:
    """Add some, or remove one: whether anything changed. Raises Unconfirmed where that locks out who called lately.

    Under the customer's lock: what others have added or removed meanwhile stays as they left it.
    """
    if not visit.may_change:
        raise PermissionDenied
    with transaction.atomic():
        visit.page.lock(visit.customer)
        before = of(visit)
        after = {network: note for network, note in {**before, **more}.items() if network != without}
        if after == before:
            return False
        visit.page.require_confirmed(visit.request, _question(visit, before, after))
        context = context_of_operator(visit.request)
        lifecycle.replace_allowlist(customer=visit.customer, networks=after, context=context)
    return True


def _question(visit: Visit, before: Networks, after: Networks) -> Question | None:
    """None if everybody who called lately, and is let in now, still would be."""
    lost = [each for each in _callers(visit) if _admits(before, each.label) and not _admits(after, each.label)]
    if not lost:
        return None
    text = ngettext(
        "%d address from which this customer was called in the last 30 days would be refused from now on.",
        "%d addresses from which this customer was called in the last 30 days would be refused from now on.",
        len(lost),
    )
    lines = [text % len(lost), _("With its API keys nobody gets in from elsewhere than the networks of the list.")]
    mark = ciphers.digest(repr((visit.customer.pk, sorted(before.items()), sorted(after.items()))).encode()).hex()
    title = _("Lock out addresses of %s?") % visit.customer.name
    return Question(title, lines, button=_("Change the allowlist"), numbers=lost[:MOST_NAMED], mark=mark)


def _callers(visit: Visit) -> list[Affected]:
    """The addresses of the newest events, other than those of operators and of who was refused: the most frequent first."""
    since = timezone.now() - RECENT
    found = (
        Event.objects.of(visit.customer.id)
        .filter(action__in=CALLS, at__gte=since, ip__isnull=False)
        .exclude(outcome=Outcome.DENIED)
    )
    newest = found.order_by("-at").values_list("ip", "at", "actor")[:MOST_EVENTS]
    calls = [(str(ip), at) for ip, at, actor in newest if not is_operator(actor)]
    last = dict(reversed(calls))
    return [Affected(ip, count, last[ip]) for ip, count in Counter(ip for ip, _at in calls).most_common()]


def of(visit: Visit) -> dict[str, str]:
    return dict(AllowedNetwork.objects.of(visit.customer.id).values_list("network", "note"))


def _admits(networks: Networks, ip: str) -> bool:
    return not networks or bool(row_for(networks, ip))


def row_for(networks: Networks, ip: str) -> str:
    """The narrowest network that has the address."""
    address = client_address.parse(ip)
    if address is None:
        return ""
    having = [
        each for each in client_address.parse_networks(list(networks)) if client_address.contains([each], address)
    ]
    return str(max(having, key=lambda network: network.prefixlen)) if having else ""


def _network_of(text: str) -> str:
    """203.0.113.0/24 for 203.0.113.7/24; nothing for what is no network."""
    try:
        return canonical_network(str(ip_network(text.strip(), strict=False)))
    except (ValueError, ValidationError):
        return ""
