"""Makes `country.mmdb.xz`, the country database that comes with Switchyard, out of the registries' public data.

    npm pack @ip-location-db/geo-whois-asn-country-mmdb && tar xzf ip-location-db-*.tgz
    python -m widget.geo_data.build package/

A tool for developers: the product only unpacks the result. The source has a schema of its own, which geoip2 refuses;
this writes the GeoIP2-Country one. The same source gives the same file, byte for byte.
"""

import argparse
import ipaddress
import lzma
import tempfile
from collections import defaultdict
from pathlib import Path

import maxminddb
from babel import Locale
from mmdb_writer import MMDBWriter
from netaddr import IPNetwork, IPSet

TARGET = Path(__file__).with_name("country.mmdb.xz")
SOURCES = ("geo-whois-asn-country-ipv4.mmdb", "geo-whois-asn-country-ipv6.mmdb")


class CountryWriter(MMDBWriter):
    def __init__(self, *, build_epoch: int) -> None:
        super().__init__(
            ip_version=6,
            ipv4_compatible=True,
            database_type="Switchyard-GeoIP2-Country",
            languages=["en"],
            description="Countries by address, from the NRO's data (CC BY 4.0)",
        )
        self.build_epoch = build_epoch

    def _build_meta(self) -> dict:
        """The age that counts is that of the data, not of the conversion."""
        return {**super()._build_meta(), "build_epoch": self.build_epoch}


def build(folder: Path, target: Path) -> None:
    countries = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()} - {
        "EU",
        "EZ",
        "ZZ",
    }
    networks: dict[tuple[str, int], list] = defaultdict(list)
    build_epoch = 0
    for name in SOURCES:
        with maxminddb.open_database(folder / name) as source:
            build_epoch = max(build_epoch, source.metadata().build_epoch)
            for network, record in source:
                # The source places private and documentation networks too, wherever somebody once wrote them down.
                if network.is_global and (country := record["country_code"]) in countries:
                    networks[country, network.version].append(network)

    writer = CountryWriter(build_epoch=build_epoch)
    for country, version in sorted(networks):
        for network in ipaddress.collapse_addresses(networks[country, version]):
            writer.insert_network(IPSet([IPNetwork(str(network))]), {"country": {"iso_code": country}})
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
        writer.to_db_file(file.name)
        target.write_bytes(lzma.compress(Path(file.name).read_bytes(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the unpacked npm package")
    build(parser.parse_args().folder, TARGET)
