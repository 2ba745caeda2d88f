"""Where an address is, as far as the databases here know. Asks nobody else, and never raises."""

import hashlib
import ipaddress
import logging
import lzma
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from maxminddb import Reader, open_database

BUNDLED = Path(__file__).parent / "geo_data" / "country.mmdb.xz"
# Addresses that mean another machine on every network. Documentation ranges are left in: examples use them.
_NOWHERE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """ISO 3166-1 alpha-2, ISO 3166-2 such as `US-CA`, and a name in English; None where unknown."""

    country: str | None = None
    region: str | None = None
    city: str | None = None


UNKNOWN = Place()


def locate(address: str) -> Place:
    """The place of an IPv4 or IPv6 address; unknown for what is no public address or is in no database."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or any(ip in n for n in _NOWHERE):
        return UNKNOWN
    reader = _reader()
    if reader is None:
        return UNKNOWN
    try:
        return _place(reader, ip)
    except Exception:  # a damaged file fails anywhere, and a lead without a place is better than none
        log.exception("The geo database cannot be read")
        return UNKNOWN


def build_date() -> date | None:
    """The day of the data now in use, in UTC; None where there are none."""
    reader = _reader()
    return datetime.fromtimestamp(reader.metadata().build_epoch, UTC).date() if reader else None


def knows_cities() -> bool:
    """Whether region and city can be known of any address at all."""
    reader = _reader()
    return reader is not None and "City" in reader.metadata().database_type


def _place(reader: Reader, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Place:
    found: Any = reader.get(ip)
    if found is None or (country := found.get("country", {}).get("iso_code")) is None:
        return UNKNOWN
    if "City" not in reader.metadata().database_type:
        return Place(country=country)
    subdivision = next((part.get("iso_code") for part in found.get("subdivisions", ())), None)
    return Place(
        country=country,
        region=f"{country}-{subdivision}" if subdivision else None,
        city=found.get("city", {}).get("names", {}).get("en"),
    )


def _reader() -> Reader | None:
    """The operator's city file, else their country file, else the bundled one: the first that can be read answers."""
    for path in (settings.GEOIP_CITY_DB, settings.GEOIP_COUNTRY_DB):
        if path and (reader := _operators_file(Path(path)).reader()):
            return reader
    return _bundled(settings.VAR_DIR / "geo")


class _OperatorsFile:
    """A database that may be replaced, rewritten or removed at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._reader: Reader | None = None

    def reader(self) -> Reader | None:
        """Looks at every call whether the file has changed. What cannot be read leaves the last good one in use."""
        try:
            stat = os.stat(self.path)
            now = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except OSError:
            now = (0, 0, 0)
        if now != self._seen and self._lock.acquire(blocking=False):
            try:
                self._read_again()
                self._seen = now
            finally:
                self._lock.release()
        return self._reader

    def _read_again(self) -> None:
        folder = settings.VAR_DIR / "geo"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A copy without a name: rewriting a file that is mapped into memory would kill this process.
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".mmdb") as copy:
                with self.path.open("rb") as file:
                    shutil.copyfileobj(file, copy)
                copy.flush()
                self._reader = open_database(copy.name)
        except Exception as problem:
            log.error("The geo database %s cannot be read, so it is not used: %s", self.path, problem)
        else:
            log.info("Read the geo database %s", self.path)


@cache
def _operators_file(path: Path) -> _OperatorsFile:
    return _OperatorsFile(path)


@cache
def _bundled(folder: Path) -> Reader | None:
    """The country data that come with Switchyard, unpacked on first use into a file for every process."""
    try:
        packed = BUNDLED.read_bytes()
        target = folder / f"country-{hashlib.sha256(packed).hexdigest()[:16]}.mmdb"
        if not target.exists():
            _unpack(packed, target)
        return open_database(target)
    except Exception:
        log.exception("The bundled geo data cannot be unpacked: every place is unknown")
        return None


def _unpack(packed: bytes, target: Path) -> None:
    """Many processes may do this at once: each writes a file of its own, and the last one's name stands."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=target.parent, suffix=".draft")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(lzma.decompress(packed))
        os.replace(draft, target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
