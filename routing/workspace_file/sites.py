"""Writing the file's sites."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from agents.models import Site, Workspace
from routing.workspace_file.changes import Changes
from routing.workspace_file.checks import Stored
from routing.workspace_file.references import is_named
from routing.workspace_file.schema import SITE_COLUMNS, SITE_NAME, site_default

Entry = dict[str, Any]


def write_sites(workspace: Workspace, entries: list[Entry], stored: Stored, changes: Changes) -> None:
    """Those that the file does not name go: closed where something names them."""
    matched = _match(entries, stored.sites)
    for entry, site in zip(entries, matched, strict=True):
        _write_site(workspace, entry, site, changes)
    kept = {site.pk for site in matched if site is not None}
    for site in stored.sites:
        if site.pk in kept or not site.is_active:
            continue
        if is_named(site):
            site.is_active = False
            site.save()
            changes.archived(_("site"), site.name)
        else:
            site.delete()
            changes.removed(_("site"), site.name)


def _match(entries: list[Entry], stored: tuple[Site, ...]) -> list[Site | None]:
    """The stored site of each entry: of its key, else the first of its name that no key asks for."""
    by_key = {site.key: site for site in stored}
    matched = [by_key.get(entry.get("key", "")) for entry in entries]
    free = [site for site in stored if site not in matched]
    free.sort(key=lambda site: not site.is_active)
    for place, entry in enumerate(entries):
        if matched[place] is None:
            name = entry.get("name", SITE_NAME)
            found = next((site for site in free if site.name == name), None)
            if found is not None:
                free.remove(found)
                matched[place] = found
    return matched


def _write_site(workspace: Workspace, entry: Entry, site: Site | None, changes: Changes) -> None:
    columns = {
        "name": entry.get("name", SITE_NAME),
        **{name: entry.get(name, site_default(name)) for name in SITE_COLUMNS},
        "is_active": True,
    }
    if "key" in entry:
        columns["key"] = entry["key"]
    if site is None:
        site = Site.objects.create(workspace=workspace, **columns)
        changes.created(_("site"), site.name)
        return
    different = [name for name, value in columns.items() if getattr(site, name) != value]
    if different:
        for name in different:
            setattr(site, name, columns[name])
        site.save()
        shown = ["active" if name == "is_active" else name for name in different]
        changes.changed(_("site"), site.name, shown)
