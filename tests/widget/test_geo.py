"""Places come from files that operators replace, damage and remove; a lead must not notice."""

import ipaddress
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import geoip2.database
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from widget import geo
from widget.geo import UNKNOWN, Place, build_date, locate

SPAIN = "194.179.1.100"
GERMANY = "2003:8:5a:1::1"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"


@pytest.fixture
def city_file(tmp_path):
    path = tmp_path / "city.mmdb"
    write_city_file(path)
    return path


def write_city_file(path, *, city="San Francisco"):
    """A city database of documentation ranges, in MaxMind's schema."""
    writer = MMDBWriter(6, "GeoIP2-City", languages=["en"], description="Test", ipv4_compatible=True)
    writer.insert_network(
        IPSet(["192.0.2.0/24", "2001:db8:1::/48"]),
        {"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}], "city": {"names": {"en": city}}},
    )
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"country": {"iso_code": "MC"}})
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"continent": {"code": "EU"}})
    draft = path.with_suffix(".draft")
    writer.to_db_file(str(draft))
    os.replace(draft, path)


class TestBundled:
    def test_knows_countries_of_both_families(self):
        assert locate(SPAIN) == Place("ES")
        assert locate(GERMANY) == Place("DE")

    def test_finds_an_ipv4_address_in_its_ipv6_form(self):
        assert locate(f"::ffff:{SPAIN}") == Place("ES")

    @pytest.mark.parametrize(
        "address",
        ["", "nonsense", "1.2.3", "1.2.3.4:80", "[::1]", "127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.16.9.9",
         "100.64.0.1", "169.254.1.1", "fe80::1%eth0", "fd00::1", "224.0.0.1", "0.0.0.0", "::", "192.0.2.1"],
    )  # fmt: skip
    def test_knows_no_place_for_what_is_no_public_address(self, address):
        assert locate(address) == UNKNOWN

    def test_is_a_file_that_geoip2_reads(self, settings):
        locate(SPAIN)
        (unpacked,) = (settings.VAR_DIR / "geo").iterdir()

        with geoip2.database.Reader(unpacked) as reader:
            assert reader.country(SPAIN).country.iso_code == "ES"

    def test_holds_no_private_network(self):
        reader = geo._bundled(geo.settings.VAR_DIR / "geo")

        for address in ("10.0.0.1", "127.0.0.1", "192.168.0.1", "fd00::1", "fe80::1"):
            assert reader.get(ipaddress.ip_address(address)) is None

    def test_tells_the_age_of_its_data(self):
        assert build_date().isoformat() == "2026-06-17"

    def test_unpacks_once_though_many_begin_at_the_same_time(self, settings):
        folder = settings.VAR_DIR / "geo"
        with ThreadPoolExecutor(4) as threads:
            readers = list(threads.map(lambda _: geo._bundled.__wrapped__(folder), range(4)))

        assert [reader.get(SPAIN)["country"]["iso_code"] for reader in readers] == ["ES"] * 4
        assert len(list(folder.iterdir())) == 1

    def test_is_unknown_everywhere_when_it_cannot_be_unpacked(self, settings, tmp_path, caplog):
        settings.VAR_DIR = tmp_path / "a file"
        settings.VAR_DIR.write_text("in the way")

        assert locate(SPAIN) == UNKNOWN
        assert locate(SPAIN) == UNKNOWN
        assert build_date() is None
        assert [record.levelname for record in caplog.records] == ["ERROR"]


class TestOperatorsFile:
    def test_knows_region_and_city(self, settings, city_file):
        settings.GEOIP_CITY_DB = city_file

        assert locate("192.0.2.77") == Place("US", "US-CA", "San Francisco")
        assert locate("2001:db8:1::5") == Place("US", "US-CA", "San Francisco")

    def test_leaves_unknown_what_it_does_not_say(self, settings, city_file):
        settings.GEOIP_CITY_DB = city_file

        assert locate("198.51.100.1") == Place("MC", None, None)
        assert locate("203.0.113.1") == UNKNOWN
        assert locate(SPAIN) == UNKNOWN

    def test_of_countries_takes_the_place_of_the_bundled_one(self, settings, city_file):
        settings.GEOIP_COUNTRY_DB = city_file

        assert locate("198.51.100.1").country == "MC"
        assert locate(SPAIN) == UNKNOWN

    def test_is_read_again_when_replaced(self, settings, city_file):
        settings.GEOIP_CITY_DB = city_file
        assert locate("192.0.2.1").city == "San Francisco"

        write_city_file(city_file, city="Los Angeles")

        assert locate("192.0.2.1").city == "Los Angeles"

    def test_stays_in_use_when_its_successor_is_damaged_or_missing(self, settings, city_file, caplog):
        settings.GEOIP_CITY_DB = city_file
        assert locate("192.0.2.1").city == "San Francisco"

        city_file.write_bytes(city_file.read_bytes()[:200])
        assert locate("192.0.2.1").city == "San Francisco"
        city_file.unlink()
        assert locate("192.0.2.1").city == "San Francisco"
        assert locate("192.0.2.1").city == "San Francisco"

        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert len(errors) == 2
        assert all(str(city_file) in error for error in errors)

    def test_that_was_never_readable_leaves_it_to_the_bundled_one(self, settings, tmp_path):
        settings.GEOIP_CITY_DB = tmp_path / "city.mmdb"
        settings.GEOIP_CITY_DB.write_text("no database")

        assert locate(SPAIN) == Place("ES")

    def test_may_be_rewritten_in_place(self, settings, city_file, tmp_path):
        settings.GEOIP_CITY_DB = city_file
        assert locate("192.0.2.1").city == "San Francisco"
        write_city_file(tmp_path / "new.mmdb", city="Los Angeles")

        shutil.copyfile(tmp_path / "new.mmdb", city_file)

        assert locate("192.0.2.1").city == "Los Angeles"

    def test_leaves_no_copies_behind(self, settings, city_file):
        settings.GEOIP_CITY_DB = city_file
        locate("192.0.2.1")

        assert list((settings.VAR_DIR / "geo").iterdir()) == []
