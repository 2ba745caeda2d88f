"""Countries, zones, holidays, phone numbers and addresses, each in its one form."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from agents.contacts import display_phone, normalise_email, normalise_phone, phone_country
from agents.holiday_dates import calendar_codes, dates_of, holiday_names, is_calendar
from agents.places import canonical_country, canonical_territory, country_name, is_country, territory_name
from agents.zones import is_zone, region_of_zone, zone, zone_names


class TestPlaces:
    @pytest.mark.parametrize(
        ("written", "code"),
        [("ES", "ES"), (" es ", "ES"), ("us-ca", "US-CA"), ("GB-ENG", "GB-ENG"), ("NO", "NO"), ("XK", "XK")],
    )
    def test_a_territory_has_one_form(self, written, code):
        assert canonical_territory(written) == code

    @pytest.mark.parametrize("written", ["", "E", "ESP", "XX", "XX-1", "ES-", "ES-ABCD", "US CA", "ＥＳ", "-CA"])
    def test_nonsense_is_refused(self, written):
        with pytest.raises(ValueError, match=r"There is no country|neither a country nor a region"):
            canonical_territory(written)

    @pytest.mark.parametrize(("written", "code"), [("UK", "GB"), ("spain", "ES"), ("Germny", "DE")])
    def test_a_near_miss_is_named(self, written, code):
        with pytest.raises(ValueError, match=f"Did you mean {code}"):
            canonical_country(written)

    def test_places_have_names(self):
        assert is_country("ES")
        assert not is_country("es")
        assert (country_name("ES", "en"), country_name("ES", "es")) == ("Spain", "España")
        assert territory_name("US-CA", "en") == "CA, United States"


class TestZones:
    def test_come_from_the_pinned_package(self):
        assert len(zone_names()) > 500
        assert zone("Europe/Madrid") == ZoneInfo("Europe/Madrid")

    @pytest.mark.parametrize("name", ["", "Europe/Madird", "europe/madrid", "../etc/passwd", "CEST", "localtime"])
    def test_other_names_are_refused(self, name):
        assert not is_zone(name)
        with pytest.raises(ValueError, match="There is no time zone"):
            zone(name)

    def test_a_near_miss_is_named(self):
        with pytest.raises(ValueError, match="Did you mean Europe/Madrid"):
            zone("Europe/Madird")

    @pytest.mark.parametrize(("name", "country"), [("Europe/Madrid", "ES"), ("America/Bogota", "CO"), ("UTC", None)])
    def test_a_zone_is_of_a_country(self, name, country):
        assert region_of_zone(name) == country


class TestHolidays:
    def test_a_region_has_the_countrys_and_its_own(self):
        assert date(2026, 12, 25) in dates_of("ES")
        assert date(2026, 5, 2) in dates_of("ES-MD")
        assert date(2026, 5, 2) not in dates_of("ES")
        assert holiday_names("ES", 2026)[date(2026, 12, 25)]

    def test_cover_the_years_that_shifts_are_asked_about(self):
        assert {day.year for day in dates_of("DE")} == set(range(2000, 2061))

    @pytest.mark.parametrize("code", ["", "es", "XX", "ES-", "ES-XX", "-MD", "ES-MD-1"])
    def test_what_has_no_holidays_is_no_calendar(self, code):
        assert not is_calendar(code)

    def test_no_calendar_has_no_days(self):
        assert dates_of("") == frozenset()
        with pytest.raises(ValueError, match="no holiday calendar"):
            dates_of("XX")

    def test_every_calendar_offered_has_days(self):
        assert {"ES", "ES-MD", "US-CA"} <= set(calendar_codes())
        assert all(is_calendar(code) for code in calendar_codes())


class TestContacts:
    @pytest.mark.parametrize(
        ("typed", "region", "number"),
        [
            ("+34 600 111 222", None, "+34600111222"),
            ("600 11 12 22", "ES", "+34600111222"),
            ("0034600111222", "ES", "+34600111222"),
            ("(415) 555-2671", "US", "+14155552671"),
            ("600 11 12 22", None, None),
            ("12", "ES", None),
            ("marta", "ES", None),
            ("", "ES", None),
            ("6" * 65, "ES", None),
        ],
    )
    def test_phone_numbers_have_one_form(self, typed, region, number):
        assert normalise_phone(typed, region) == number

    def test_phone_numbers_tell_their_country(self):
        assert phone_country("+34600111222") == "ES"
        assert phone_country("+14165552671") == "CA"
        assert phone_country("+881612345678") is None
        assert phone_country("nonsense") is None

    def test_phone_numbers_are_shown_in_groups(self):
        assert display_phone("+34600111222") == "+34 600 11 12 22"

    @pytest.mark.parametrize(
        ("typed", "address"),
        [
            (" Marta@Example.COM ", "marta@example.com"),
            ("marta+x@example.com", "marta+x@example.com"),
            ("u\u0308@example.com", None),
            ("marta", None),
            ("a@b@c.com", None),
            ("marta@example.com\nBcc: x@y.test", None),
            ("a@" + "b" * 255 + ".com", None),
        ],
    )
    def test_addresses_have_one_form(self, typed, address):
        assert normalise_email(typed) == address
