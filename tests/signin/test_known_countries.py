"""C8: a sign-in from another country is a security event, where the operator has a database of countries."""

from pathlib import Path
from typing import Any

import pytest

from apps.audit.models import Event
from apps.core import countries as lookup
from apps.signin.models import KnownCountry
from config.countries import database as checked
from tests import races
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.roundtrips import counted
from tests.signin import countries
from tests.signin.countries import FRANCE, GERMANY, PRIVATE
from tests.signin.entering import generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "countries.mmdb"
    settings.GEOIP_DATABASE = countries.database(path)
    return path


def new_countries() -> list[tuple[object, ...]]:
    return list(Event.objects.filter(action="new_country").values_list("user_id", "severity", "details", "ip"))


def test_a_new_country_is_recorded_and_the_first_of_all_is_not(client_for: MakeClient, database: Path) -> None:
    customer = generous()
    user, other = member(customer), member(generous())
    at_home, abroad = client_for(customer, ip=GERMANY), client_for(customer, ip=FRANCE)
    assert login(at_home).status == 200
    assert new_countries() == []
    assert login(abroad).status == 200
    assert new_countries() == [(user.id, "medium", {"country": "FR"}, FRANCE)]
    login(abroad)
    login(at_home)
    assert len(new_countries()) == 1
    assert login(client_for(other.customer, ip=FRANCE)).status == 200, "another customer's user of the same address"
    assert len(new_countries()) == 1


def test_a_returning_user_who_signs_in_by_code_is_noticed_too(client_for: MakeClient, database: Path) -> None:
    """Whose sign-in is one statement, if nothing is new."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    for address, told in ((GERMANY, 0), (GERMANY, 0), (FRANCE, 1), (FRANCE, 1)):
        client = client_for(customer, ip=address)
        client.request_otp(user.email)
        assert client.verify_otp(user.email, newest_code()).status == 200
        assert len(new_countries()) == told


def test_an_address_without_a_country_is_no_fault(client_for: MakeClient, database: Path) -> None:
    """Private addresses are in no database: elsewhere such a sign-in was refused, or filled the log with errors."""
    customer = generous()
    member(customer)
    for address in (PRIVATE, "127.0.0.1", "203.0.113.9", "2001:db8::1", "::1"):
        assert login(client_for(customer, ip=address)).status == 200
    assert set(KnownCountry.objects.values_list("country", flat=True)) == {"NL"}


def test_without_a_database_it_costs_nothing(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    client = client_for(customer)
    login(client)
    with counted() as cost:
        login(client)
    assert not [text for text in cost.statements if "knowncountry" in text]
    assert not KnownCountry.objects.exists()


def test_with_one_it_costs_one_statement(client_for: MakeClient, database: Path) -> None:
    customer = generous()
    member(customer)
    client = client_for(customer)
    login(client)
    with counted() as cost:
        login(client)
    assert len([text for text in cost.statements if "knowncountry" in text]) == 1


def test_of_many_sign_ins_at_once_one_is_the_first_from_there(client_for: MakeClient, database: Path) -> None:
    customer = generous()
    member(customer)
    login(client_for(customer, ip=GERMANY))
    abroad = client_for(customer, ip=FRANCE)
    assert races.at_once(6, lambda _: login(abroad).status, threads=6) == [200] * 6
    assert len(new_countries()) == 1


def test_a_database_that_was_replaced_is_read_anew(database: Path, tmp_path: Path) -> None:
    """As geoipupdate does it, without a restart."""
    assert lookup.of(GERMANY) == "DE"
    newer = tmp_path / "newer.mmdb"
    countries.database(newer, {"192.0.2.0/24": "AT"})
    newer.replace(database)
    assert lookup.of(GERMANY) == "AT"


@pytest.mark.parametrize("damage", ["gone", "broken"])
def test_nobody_is_kept_out_by_a_database_that_is_lost(client_for: MakeClient, database: Path, damage: str) -> None:
    customer = generous()
    member(customer)
    if damage == "gone":
        database.unlink()
    else:
        database.write_bytes(b"nonsense")
    assert login(client_for(customer)).status == 200
    assert lookup.of(GERMANY) == ""


@pytest.mark.parametrize("record", [countries.maxmind, countries.ipinfo])
def test_several_makers_databases_are_understood(tmp_path: Path, settings: Any, record: Any) -> None:
    path = countries.database(tmp_path / "a.mmdb", record=record, ip_version=4)
    settings.GEOIP_DATABASE = checked(path)
    assert (lookup.of(GERMANY), lookup.of("2001:db8::1")) == ("DE", "")


def test_a_setting_that_names_no_such_database_is_refused_at_the_start(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.mmdb"
    nonsense.write_bytes(b"nonsense")
    others = countries.database(tmp_path / "asn.mmdb", record=lambda code: {"autonomous_system_number": 1})
    for path, what in (
        (tmp_path / "none", "cannot be read"),
        (nonsense, "no database"),
        (others, "knows no countries"),
    ):
        with pytest.raises(ValueError, match=what):
            checked(str(path))
