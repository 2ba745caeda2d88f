"""Two tenants whose every text is recognisable, and a crawler that looks for one's texts in what the other is shown.

The pages come from the admin's registry and the URL resolver, the rows from the models, the forged values from the
forms found on the way: a new page, model or form is crawled without being named here.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.apps import apps
from django.contrib import admin
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agents.models import Agent, ApiKey, Membership, Scope, Site, Team, User, Workspace
from agents.roster import one_change
from agents.scoping import is_tenant_model, workspace_path

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


# The rows


@dataclass
class Tenant:
    """A workspace with at least one row of every tenant model; each text in them holds `marker`."""

    marker: str
    workspace: Workspace
    user: User
    rows: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)
    api_key: str = ""

    def ids(self, model: type[models.Model]) -> list[Any]:
        return [row.pk for row in self.rows.get(model, [])]

    def contents(self) -> str:
        """Everything the tenant's rows say, for comparing before and after."""
        said = []
        for model in self.rows:
            path = workspace_path(model)
            rows = model._base_manager.filter(**{path: self.workspace.pk}).order_by("pk").values()
            said.append([model._meta.label, list(rows)])
        said.append(list(User.objects.filter(pk=self.user.pk).values("email", "is_superuser", "is_active", "password")))
        return json.dumps(said, cls=_Encoder, sort_keys=True)


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return bytes(o).hex() if isinstance(o, bytes | memoryview) else super().default(o)


# Where any text would break what other code relies on, or a constraint wants certain values together.
_SPECIAL: dict[str, Callable[[Tenant], dict[str, Any]]] = {
    "agents.Agent": lambda t: {
        "timezone": "Europe/Madrid",
        "holiday_calendar": "ES",
        "photo_url": f"https://{t.marker}.example/p.png",
        "languages": ["es", "en"],
        "territories": ["ES"],
        "tags": [t.marker],
        "email": f"agent@{t.marker}.example",
        "user": t.user,
    },
    "agents.Handle": lambda t: {"channel": "telegram", "value": f"{t.marker}_handle"},
    "agents.Shift": lambda t: {"weekday": 0, "start_minute": 540, "end_minute": 1080},
    "agents.TimeOff": lambda t: {"starts_local": "2026-08-01T00:00", "ends_local": "2026-08-16T00:00"},
    "agents.Site": lambda t: {
        "origins": [f"https://{t.marker}.example"],
        "channels": ["telegram"],
        "accent": "#1f5eff",
        "on_accent": "#ffffff",
        "texts": {"es": {"title": f"{t.marker} greets"}},
        "fallback_url": f"https://{t.marker}.example/contact",
        "privacy_url": f"https://{t.marker}.example/privacy",
    },
    "agents.ApiKey": lambda t: {"scopes": ["leads:read"], "prefix": t.marker[:12], "hash": secrets.token_hex(32)},
    "agents.Membership": lambda t: {"user": t.user, "role": "owner"},
    "agents.Invitation": lambda t: {
        "email": f"invited@{t.marker}.example",
        "role": "ops",
        "token_hash": secrets.token_hex(32),
        "accepted_by": None,
        "accepted_at": None,
        "withdrawn_at": None,
    },
    "agents.RosterChange": lambda t: {"kind": "agent", "row_id": 1, "version": 10_000, "values": {"name": t.marker}},
    "routing.Rule": lambda t: {
        "to_kind": "team",
        "agent": None,
        "when": {"all": [{"field": "message", "op": "contains", "value": t.marker}]},
        "require": [f"tags:{t.marker}"],
        "prefer": ["language"],
        "sla": {"respond_within": 300, "clock": "wall"},
    },
    "routing.ScoringRule": lambda t: {
        "when": {"all": [{"field": "city", "op": "is", "value": t.marker}]},
        "points": 10,
    },
    "routing.PolicyVersion": lambda t: {
        "number": 1,
        "document": {
            "returning": "same_agent",
            "join_window": 86_400,
            "intent": {"hot": 70, "warm": 30},
            "scoring": [],
            "rules": [
                {
                    "name": f"{t.marker} published",
                    "route": {
                        "to": {"team": t.rows[Team][0].slug},
                        "by": "round_robin",
                        "require": [],
                        "prefer": [],
                        "if_nobody": "next_rule",
                    },
                }
            ],
        },
        "published_by": t.user,
        "restored_from": None,
    },
    "leads.Lead": lambda t: {
        "outcome": "assigned",
        "reason": "round_robin",
        "status": "open",
        "channel": "telegram",
        "reached_on": "telegram",
        "source": "widget",
        "language": "es",
        "country": "ES",
        "region": "ES-MD",
        "closed_at": None,
        "closed_as": "",
        "attributes": {"plan": t.marker},
        "reference": t.marker[:12].upper(),
        "status_token": secrets.token_urlsafe(16),
        "held_for": "",
        "release_at": None,
        "email": f"lead@{t.marker}.example",
        "page_url": f"https://{t.marker}.example/pricing",
    },
    "leads.Decision": lambda t: {
        "outcome": "assigned",
        "reason": "round_robin",
        "policy_version": 0,
        "roster_version": 0,
        "decision": None,
        "request": {},
    },
    "leads.Event": lambda t: {"data": {"why": t.marker}},
    # Long ago: what came in at noon is read from the leads.
    "leads.LeadDay": lambda t: {"day": NOON.date().replace(year=2020)},
    "leads.TurnDay": lambda t: {"day": NOON.date().replace(year=2020)},
    "leads.DirtyDay": lambda t: {"day": NOON.date().replace(year=2020)},
    "leads.NotificationWay": lambda t: {
        "user": None,
        "transport": "email",
        "address": {"address": f"way@{t.marker}.example"},
    },
    "leads.QuietHours": lambda t: {"start_minute": 1_320, "end_minute": 420},
    "leads.WebhookEndpoint": lambda t: {"url": f"https://{t.marker}.example/hook"},
}


_TEXTS = (models.CharField, models.TextField)


def make_tenant(marker: str) -> Tenant:
    """A workspace, its owner, and a row of every tenant model there is."""
    workspace = Workspace.objects.create(
        slug=f"{marker}-slug", name=f"{marker} workspace", plan="scale", timezone="Europe/Madrid", languages=["es"]
    )
    user = User.objects.create_user(
        f"owner@{marker}.example", "secret", first_name=f"{marker}first", last_name=f"{marker}last"
    )
    tenant = Tenant(marker, workspace, user)
    tenant.rows[Workspace] = [workspace]
    waiting = [m for m in apps.get_models() if is_tenant_model(m) and m is not Workspace and m._meta.managed]
    with one_change():
        while waiting:
            ready = [model for model in waiting if _needs(model) <= tenant.rows.keys()]
            assert ready, f"rows that need each other: {waiting}"
            for model in ready:
                tenant.rows[model] = [_row(model, tenant)]
                waiting.remove(model)
    workspace.fallback_agent = tenant.rows[Agent][0]
    workspace.public_attributes = [f"{marker}.attribute"]
    workspace.policy_version = 1
    workspace.save()
    _key, tenant.api_key = ApiKey.issue(workspace=workspace, name=f"{marker} server", scopes=Scope.values)
    return tenant


def _needs(model: type[models.Model]) -> set[Any]:
    return {
        field.related_model
        for field in model._meta.concrete_fields
        if field.is_relation and is_tenant_model(field.related_model) and field.related_model is not model
    }


def _row(model: type[models.Model], tenant: Tenant) -> models.Model:
    made_with_it = model._base_manager.filter(**{workspace_path(model): tenant.workspace.pk}).first()
    if made_with_it is not None and model._meta.label not in _SPECIAL:
        return made_with_it  # a companion, such as a team's ledger
    special = _SPECIAL.get(model._meta.label, lambda t: {})(tenant)
    values = {}
    for column in model._meta.concrete_fields:
        if column.name in special:
            values[column.name] = special[column.name]
        elif column.is_relation:
            related = column.related_model
            if related is Workspace:
                values[column.name] = tenant.workspace
            elif related in tenant.rows:
                values[column.name] = tenant.rows[related][0]
            elif related is User:
                values[column.name] = tenant.user
        elif column.primary_key or (
            column.has_default() and not isinstance(column, models.CharField | models.TextField)
        ):
            continue
        elif (value := _value(column, tenant.marker)) is not None:
            values[column.name] = value
    return model._base_manager.create(**values)


def _value(column: Any, marker: str) -> Any:
    if column.choices:
        return column.get_default() or column.choices[0][0]
    if isinstance(column, models.EmailField):
        return f"{marker}@{marker}.example"
    if isinstance(column, _TEXTS):
        text = f"{marker}-{column.name}" if not column.unique else f"{marker}{secrets.token_hex(4)}"
        return text[: column.max_length] if (column.max_length or 1_000) >= len(marker) else ""
    if isinstance(column, models.DateTimeField):
        return None if column.null else NOON
    if isinstance(column, models.JSONField):
        return {"text": marker}
    if isinstance(column, models.UUIDField):
        return uuid.uuid4()
    return None if column.null else 1


# The standing cast


def somebody(email: str, *roles: tuple[Tenant, str]) -> User:
    user = User.objects.create_user(email, "secret")
    for tenant, role in roles:
        Membership.objects.create(workspace=tenant.workspace, user=user, role=role)
    return user


def client_of(user: User, tenant: Tenant | None = None) -> Client:
    """Logged in, and working in the tenant's workspace."""
    client = Client()
    client.force_login(user)
    if tenant is not None:
        session = client.session
        session["workspace"] = tenant.workspace.pk
        session.save()
    return client


# The pages


@dataclass(frozen=True)
class Leak:
    url: str
    found: str

    def __str__(self) -> str:
        return f"{self.url}: …{self.found}…"


_SWITCHER = re.compile(rb'<details class="sy-switcher".*?</details>', re.DOTALL)
_ROUTE_PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")


@dataclass
class Crawler:
    """Reads every page that `client` can reach as a member of `own`, and looks for `foreign` in it.

    `shown_in_switcher`: the user is a member of both, so the switch between workspaces may name the other.
    """

    client: Client
    own: Tenant
    foreign: Tenant
    shown_in_switcher: bool = False
    leaks: list[Leak] = field(default_factory=list)
    visited: dict[str, int] = field(default_factory=dict)
    posted: list[tuple[str, int]] = field(default_factory=list)

    def get(self, url: str, *, echoed: Iterable[str] = (), **extra: Any) -> Any:
        """Reads a page. `echoed` is what was sent, and so may come back."""
        with transaction.atomic():
            response = self.client.get(url, **extra)
            transaction.set_rollback(True)
        self._look(url, response, echoed)
        return response

    def post(self, url: str, data: Any, *, echoed: Iterable[str] = (), **extra: Any) -> Any:
        """Posts, looks at the answer, and undoes everything."""
        written: list[str] = []

        def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
                written.append(sql)
            return execute(sql, params, many, context)

        with transaction.atomic():
            with connection.execute_wrapper(watch):
                response = self.client.post(url, data, **extra)
            self._look(f"POST {url}", response, echoed)
            if written:
                connection.check_constraints()
                assert self.foreign.contents() == self.before, f"POST {url} changed the other workspace: {data}"
            transaction.set_rollback(True)
        self.posted.append((url, response.status_code))
        return response

    def _look(self, url: str, response: Any, echoed: Iterable[str] = ()) -> None:
        assert response.status_code < 500, f"{url} answered {response.status_code}"
        self.visited[url] = response.status_code
        content = b"".join(response.streaming_content) if response.streaming else response.content
        if self.shown_in_switcher:
            content = _SWITCHER.sub(b"", content)
        text = unescape(content.decode("utf-8", "replace")) + str(dict(response.headers))
        sent = str(response.request.get("QUERY_STRING", ""))
        for word in echoed:
            text = text.replace(word, "")
        for match in re.finditer(re.escape(self.foreign.marker), text, re.IGNORECASE):
            around = " ".join(text[max(0, match.start() - 40) : match.end() + 40].split())
            if self.foreign.marker in sent and _is_echo(text, match.start()):
                continue  # what the user searched for stands in the search field again
            self.leaks.append(Leak(url, around))
            return

    # admin

    def crawl_admin(self, *, rows: bool = True, parameters: bool = True, forge: bool = True) -> None:
        """Every admin page; if asked, those of each row, with the parameters that it offers, and every form with forged
        values.
        """
        self.before = self.foreign.contents()
        forms: dict[tuple[str, str], Form] = {}
        for pattern, route in admin_patterns():
            if not rows and _ROUTE_PARAMETER.search(route):
                continue
            for url in self._urls(pattern, route):
                response = self.get(url)
                if parameters:
                    self._crawl_variants(pattern, url, response)
                for form in forms_in(response, url):
                    forms.setdefault((form.action, " ".join(sorted(form.values))), form)
        self._crawl_autocompletes()
        for form in forms.values() if forge else ():
            self._forge(form)

    def _urls(self, pattern: URLPattern, route: str) -> Iterator[str]:
        """The addresses of a route, with each object that it could mean, the other's included."""
        if not _ROUTE_PARAMETER.search(route) or "(?P" in route:
            if "(?P" not in route:
                yield f"/{route}"
            return
        for candidate in self._objects_of(pattern, route):
            yield "/" + _ROUTE_PARAMETER.sub(str(candidate), route)

    def _objects_of(self, pattern: URLPattern, route: str) -> list[Any]:
        name = pattern.name or ""
        for model in {**self.own.rows, User: []}:
            label, model_name = model._meta.app_label, model._meta.model_name
            if name.startswith(f"{label}_{model_name}_") or route.startswith(f"admin/{label}/{model_name}/"):
                mine = self.own.ids(model) or ([self.own.user.pk] if model is User else [])
                theirs = self.foreign.ids(model) or ([self.foreign.user.pk] if model is User else [])
                return [*mine, *theirs]
        return [pk for tenant in (self.own, self.foreign) for pk in _all_ids(tenant)]

    def _crawl_variants(self, pattern: URLPattern, url: str, response: Any) -> None:
        name = pattern.name or ""
        if name.endswith("_changelist") and response.status_code == 200:
            for query in ({"q": self.foreign.marker}, {"q": "a"}, {"o": "1"}, {"p": "2"}, {"all": ""}, {"_popup": "1"}):
                self.get(f"{url}?{urlencode(query)}")
            for query in self._offered_filters(response):
                filtered = self.get(f"{url}?{urlencode(query)}")
                assert filtered.status_code == 200, f"{url} offers {query}, which answers {filtered.status_code}"
            for query in self._guessed_filters(response):
                self.get(f"{url}?{urlencode(query)}")
        if name.endswith("_add") and response.status_code == 200:
            model_admin = response.context["adminform"].model_admin
            for column in model_admin.model._meta.concrete_fields:
                for pk in self._foreign_values(column):
                    self.get(f"{url}?{urlencode({column.name: pk})}")
                    self.get(f"{url}?{urlencode({column.name: pk, '_popup': 1, '_to_field': 'id'})}")
        if name.endswith("_change") and response.status_code == 200:
            self.get(f"{url}?_popup=1&_to_field=id")
            self.get(f"{url}?_changelist_filters=q%3D{self.foreign.marker}")

    def _offered_filters(self, response: Any) -> Iterator[dict[str, Any]]:
        """The first and the last of what each filter offers: countries and languages say the same 200 times."""
        changes = response.context["cl"]
        for spec in changes.filter_specs:
            offered: list[dict[str, Any]] = []
            for choice in spec.choices(changes):
                form = choice.get("form")
                if form is None:
                    offered.append(dict(parse_qsl(choice["query_string"].removeprefix("?"))))
                    continue
                for name, chosen in form.fields.items():
                    values = [value for value, _label in getattr(chosen, "choices", []) if not isinstance(value, tuple)]
                    offered += ({name: value} for value in values)
            yield from offered[:3]
            yield from offered[max(3, len(offered) - 3) :]

    def _guessed_filters(self, response: Any) -> Iterator[dict[str, Any]]:
        for spec in response.context["cl"].filter_specs:
            for name in spec.expected_parameters():
                related = getattr(getattr(spec, "field", None), "related_model", None)
                yield from ({name: pk} for pk in self.foreign.ids(related)) if related else ()
        for lookup in (
            "workspace__name__startswith",
            "workspace",
            "agent__name__startswith",
            "user__email__startswith",
        ):
            yield {lookup: self.foreign.workspace.pk if lookup == "workspace" else self.foreign.marker}

    def _foreign_values(self, column: Any) -> list[Any]:
        if not column.is_relation:
            return []
        if column.related_model is User:
            return [self.foreign.user.pk]
        return self.foreign.ids(column.related_model)

    def _crawl_autocompletes(self) -> None:
        for model in apps.get_models():
            for column in model._meta.get_fields():
                if not (column.is_relation and column.concrete):
                    continue
                asked = {
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": column.name,
                }
                for term in ("", self.foreign.marker):
                    self.get(f"/admin/autocomplete/?{urlencode({**asked, 'term': term})}")

    # forging

    def _forge(self, form: Form) -> None:
        """The form as it is, then with each value that could name a row changed to name the other's."""
        self.post(form.action, form.values)
        for name in form.values:
            for pk in self._forged(name):
                self.post(form.action, {**form.values, name: pk})
        for name, value in form.buttons:
            target = value.get("formaction") or form.action
            self.post(target, {**form.values, name: value["value"]})
            for pk in self._forged(name):
                self.post(target, {**form.values, name: pk})
        if "action" in form.choices:
            for action in form.choices["action"]:
                for pks in (self._ids_on(form), [str(pk) for pk in _all_ids(self.foreign)]):
                    data = {
                        **form.values,
                        "action": action,
                        "_selected_action": pks,
                        "index": "0",
                        "select_across": "0",
                    }
                    self.post(form.action, data)
                    self.post(form.action, {**data, "select_across": "1"})
                    self.post(form.action, {**data, "post": "yes"})
        for own_id, foreign_id in self._exchanges():
            if f"/{own_id}/" in form.action:
                self.post(form.action.replace(f"/{own_id}/", f"/{foreign_id}/"), form.values)

    def _ids_on(self, form: Form) -> list[str]:
        return [str(pk) for pk in _all_ids(self.own)]

    def _exchanges(self) -> Iterator[tuple[str, str]]:
        for model in self.own.rows:
            for mine, theirs in zip(self.own.ids(model), self.foreign.ids(model), strict=False):
                yield str(mine), str(theirs)

    def _forged(self, name: str) -> list[Any]:
        """The other's ids that a form's field of this name could take."""
        last = name.rsplit("-", 1)[-1]
        if last in ("id", "up", "down", "to"):
            return [pk for pk in _all_ids(self.foreign) if not isinstance(pk, uuid.UUID)]
        found = []
        for model in self.own.rows:
            for column in model._meta.concrete_fields:
                if column.name == last:
                    found += self._foreign_values(column)
        return list(dict.fromkeys(found))

    # the API

    def crawl_api(self) -> None:
        """Every route of the API with a server's key of `own`, asking for the other's rows."""
        self.before = self.foreign.contents()
        authorization = f"Bearer {self.own.api_key}"
        theirs = self.foreign.rows
        lead = next(model for model in theirs if model._meta.label == "leads.Lead")
        for _pattern, route in patterns_under("api/v1/"):
            for url in self._api_urls(route, lead):
                agent = theirs[Agent][0]
                sent = (agent.slug, f"{self.foreign.marker}cursor")
                for query in ("", f"?agent={sent[0]}", f"?from=2020-01-01T00:00:00Z&cursor={sent[1]}"):
                    self.get(url + query, echoed=sent, headers={"authorization": authorization})
                for body in ({}, {"to": agent.slug, "reason": "x"}, {"exclude": [agent.slug], "reason": "x"},
                             {"as": "spam"}, {"kind": "human"}, {"channel": "telegram", "language": "es"}):  # fmt: skip
                    self.post(
                        url,
                        json.dumps(body),
                        content_type="application/json",
                        echoed=sent,
                        headers={"authorization": authorization, "origin": f"https://{self.own.marker}.example"},
                    )

    def crawl_hosted(self) -> None:
        """Every page that anybody may open who has a key of `own`, and its forms with forged values."""
        self.before = self.foreign.contents()
        for _pattern, route in patterns_under("talk/"):
            url = "/" + _ROUTE_PARAMETER.sub(self.own.rows[Site][0].key, route)
            for form in forms_in(self.get(url), url):
                self._forge(form)

    def _api_urls(self, route: str, lead: Any) -> Iterator[str]:
        own_site = self.own.rows[Site][0]
        if "widgets/" in route:  # public: whoever has the key may ask, so only the own key with the other's tokens
            for token in (self.own.rows[lead][0].status_token, self.foreign.rows[lead][0].status_token):
                filled = re.sub(r"<(?:\w+:)?(?:site_key|key)>", own_site.key, route)
                yield "/" + _ROUTE_PARAMETER.sub(token, filled)
            return
        ids = [*self.own.ids(lead), *self.foreign.ids(lead)] if _ROUTE_PARAMETER.search(route) else [""]
        for pk in ids:
            yield "/" + _ROUTE_PARAMETER.sub(str(pk), route)


def _all_ids(tenant: Tenant) -> list[Any]:
    return list(dict.fromkeys(pk for model in tenant.rows for pk in tenant.ids(model)))


def _is_echo(text: str, start: int) -> bool:
    """Whether the marker stands where what was asked for is repeated: a search field, a link with the same query."""
    before = text[max(0, start - 4_000) : start]
    tag = before.rsplit("<", 1)[-1]
    return ">" not in tag and re.match(r"(?:input|a|form|button|link)\b", tag) is not None


def admin_patterns() -> Iterator[tuple[URLPattern, str]]:
    return patterns_under("admin/")


def patterns_under(prefix: str) -> Iterator[tuple[URLPattern, str]]:
    """Every route below this prefix, with its whole path."""

    def walk(resolver: URLResolver, path: str) -> Iterator[tuple[URLPattern, str]]:
        for entry in resolver.url_patterns:
            route = path + str(entry.pattern).removeprefix("^").removesuffix("$")
            if isinstance(entry, URLResolver):
                yield from walk(entry, route)
            elif route.startswith(prefix):
                yield entry, route

    return walk(get_resolver(), "")


# Forms


@dataclass
class Form:
    action: str
    values: dict[str, Any] = field(default_factory=dict)
    buttons: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _FormParser(HTMLParser):
    """The POST forms of a page with what a browser would send."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.select: str | None = None
        self.textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = Form(given.get("action") or self.url) if given.get("method", "").lower() == "post" else None
            if self.form:
                self.forms.append(self.form)
        if self.form is None:
            return
        name = given.get("name", "")
        if tag == "input" and name and name != "csrfmiddlewaretoken":
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in given:
                self.form.values.setdefault(name, "")
                if self.form.values[name] == "":
                    del self.form.values[name]
            elif kind != "submit":
                self.form.values[name] = given.get("value", "on" if kind == "checkbox" else "")
        elif tag == "button" and name:
            button = {"value": given.get("value", "")}
            if "formaction" in given:
                button["formaction"] = self.url.split("?")[0] + given["formaction"]
            self.form.buttons.append((name, button))
        elif tag == "select":
            self.select = name
            self.form.choices.setdefault(name, [])
            self.form.values.setdefault(name, "")
        elif tag == "option" and self.select:
            value = given.get("value", "")
            if value:
                self.form.choices[self.select].append(value)
            if "selected" in given:
                self.form.values[self.select] = value
        elif tag == "textarea":
            self.textarea = name
            self.form.values[name] = ""

    def handle_data(self, data: str) -> None:
        if self.textarea and self.form:
            self.form.values[self.textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.textarea = None


def forms_in(response: Any, url: str) -> list[Form]:
    if response.status_code != 200 or "html" not in response.headers.get("Content-Type", ""):
        return []
    parser = _FormParser(url)
    parser.feed(response.content.decode())
    return parser.forms


def registered_models() -> list[type[models.Model]]:
    return list(admin.site._registry)
