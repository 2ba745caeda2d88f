"""Dumping: the file says everything that is not the default, to this program and to any other reader of YAML."""

from datetime import UTC, datetime

import pytest
import yaml
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import (
    Agent,
    Handle,
    RosterChange,
    Shift,
    Site,
    Team,
    TeamMember,
    TimeOff,
    Workspace,
)
from agents.roster import one_change
from routing.publishing import publish, replace_draft, roster_names
from routing.rulebook import normalise_policy
from routing.workspace_file import dump, load
from routing.workspace_file.emitter import to_yaml
from routing.workspace_file.nodes import read
from tests.examples import times
from tests.routing.test_workspace_file_nodes import texts

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

# Words that some reader of YAML takes for something else, and texts that break a careless writer.
TRAPS = [
    "NO",
    "on",
    "y",
    "007",
    "18:00",
    "+34600111222",
    "1e3",
    "0x1F",
    "null",
    "~",
    "2026-08-01",
    "a: b",
    "x #y",
    "- a",
]
TRAPS += [
    "'",
    '"',
    "\\",
    "{a}",
    "[b]",
    "*c",
    "&d",
    "!e",
    "%f",
    "@g",
    "`h",
    "|",
    ">",
    "é ñ 漢字 🙂",
    "a  b",
    "=",
    "<<",
    ".5",
]
words = st.sampled_from(TRAPS) | st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20
)
lines = words | st.lists(words, min_size=2, max_size=3).map(" ".join)
slugs = st.sampled_from(["007", "on", "NO", "a-b", "x_1", "null", "1e3", "0"]) | st.from_regex(
    r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True
)
languages = st.sampled_from(["en", "es", "no", "pt-BR", "zh-Hant"])
territories = st.sampled_from(["NO", "ES", "US-CA", "PT"])
calendars = st.sampled_from(["", "NO", "ES-MD"])
limits = st.none() | st.integers(1, 1_000_000)


@st.composite
def shifts(draw):
    start = draw(st.integers(0, 1439))
    end = draw(st.integers(1, 1440).filter(lambda minute: minute != start))
    kind = draw(st.sampled_from(["regular", "on_call"]))
    return {"weekday": draw(st.integers(0, 6)), "start_minute": start, "end_minute": end, "kind": kind}


@st.composite
def absences(draw):
    walls = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)).map(
        lambda wall: wall.isoformat(timespec="minutes")
    )
    starts_local, ends_local = sorted(draw(st.sets(walls, min_size=2, max_size=2)))
    return {"starts_local": starts_local, "ends_local": ends_local, "note": draw(st.just("") | lines)}


agents = st.fixed_dictionaries(
    {
        "row": st.fixed_dictionaries(
            {
                "name": lines,
                "title": st.just("") | lines,
                "email": st.sampled_from(["", "Ana@Example.com"]),
                "photo_url": st.sampled_from(["", "https://example.com/a.png?x=1#y"]),
                "timezone": st.sampled_from(["", "UTC", "America/New_York"]),
                "languages": st.lists(languages, unique=True, max_size=3),
                "territories": st.lists(territories, unique=True, max_size=2),
                "tags": st.lists(st.sampled_from(["on", "senior", "1e3", "a b", "#1"]), unique=True, max_size=3),
                "is_active": st.booleans(),
                "is_paused": st.booleans(),
                "cap_open": limits,
                "cap_day": limits,
                "holiday_calendar": calendars,
            }
        ),
        "handles": st.dictionaries(st.sampled_from(["whatsapp", "phone", "sms"]), st.just("+34600111222")),
        "shifts": st.lists(shifts(), max_size=6) | shifts().map(lambda shift: [shift, shift, shift | {"weekday": 0}]),
        "time_off": st.lists(absences(), max_size=2),
    }
)
conditions = st.one_of(
    st.builds(lambda value: {"field": "country", "op": "is", "value": value}, st.sampled_from(["NO", "ES"])),
    st.builds(
        lambda value: {"field": "attributes.x", "op": "in", "value": value}, st.lists(words, min_size=1, unique=True)
    ),
    st.builds(lambda value: {"field": "message", "op": "contains", "value": value}, lines),
    st.just({"field": "local_time", "op": "between", "value": ["18:00", "07:30"]}),
    st.builds(lambda value: {"field": "score", "op": "gte", "value": value}, st.integers(-9, 99)),
    st.just({"field": "returning", "op": "is", "value": True}),
    st.just({"field": "email_domain", "op": "is_not_set"}),
)
groups = st.lists(conditions, min_size=1, max_size=3)
whens = st.one_of(
    st.none(),
    groups.map(lambda group: {"all": group}),
    st.lists(conditions | groups.map(lambda group: {"all": group}), min_size=1, max_size=3).map(
        lambda any_: {"any": any_}
    ),
)
slas = st.none() | st.fixed_dictionaries(
    {"respond_within": st.integers(1, 9_999), "clock": st.sampled_from(["wall", "covered"])},
    optional={
        "remind_at": st.sampled_from([[50, 80], [50, "2m", "1h"]]),
        "reroute_after": st.integers(1, 999),
        "escalate_after": st.just(90_000),
    },
)
routes = st.fixed_dictionaries(
    {
        "by": st.sampled_from(["round_robin", "least_busy", "priority"]),
        "require": st.lists(st.sampled_from(["language", "channel", "tags:on"]), unique=True),
        "prefer": st.lists(st.sampled_from(["territory", "tags:a b"]), unique=True),
        "if_nobody": st.sampled_from(["next_rule", "on_call", "hold", "queue", "fallback"]),
    }
)


@st.composite
def workspaces(draw):
    """What to write into the database: rows by model, and a policy document."""
    agent_slugs = draw(st.lists(slugs, unique=True, max_size=4))
    team_slugs = draw(st.lists(slugs, unique=True, max_size=3))
    targets = ["queue", *({"team": slug} for slug in team_slugs), *({"agent": slug} for slug in agent_slugs)]
    rules = []
    for name in draw(st.lists(lines, unique_by=str.strip, max_size=4)):
        to, route = draw(st.sampled_from(targets)), draw(routes)
        if to == "queue":
            route = {}
        elif "agent" in to:
            route.pop("by")
        rule = {"name": name, "active": draw(st.booleans()), "when": draw(whens), "sla": draw(slas)}
        rules.append(rule | {"route": {"to": to, **route}})
    scoring = draw(st.lists(st.fixed_dictionaries({"points": st.integers(-9, 99)}), max_size=2))
    hot, warm = sorted(draw(st.tuples(st.integers(0, 99), st.integers(0, 99))), reverse=True)
    return {
        "row": {
            "name": draw(lines),
            "timezone": draw(st.sampled_from(["UTC", "Europe/Oslo"])),
            "languages": draw(st.lists(languages, unique=True, min_size=1, max_size=3)),
            "public_attributes": draw(st.lists(st.sampled_from(["plan", "on", "0"]), unique=True)),
        },
        "fallback": draw(st.none() | st.sampled_from(agent_slugs)) if agent_slugs else None,
        "sites": draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "name": lines,
                        "origins": st.just([]) | st.just(["https://a.example", "http://localhost:8000"]),
                        "channels": st.just([]) | st.just(["whatsapp", "email"]),
                        "is_active": st.booleans(),
                        "accent": st.sampled_from(["#1f5eff", "#000000", "#00e000"]),
                        "on_accent": st.just("#ffffff"),
                        "side": st.sampled_from(["right", "left"]),
                        "scheme": st.sampled_from(["auto", "dark"]),
                        "offset": st.sampled_from([0, 20, 200]),
                        "hours_shown": st.booleans(),
                        "asks_consent": st.booleans(),
                        "fallback_url": st.sampled_from(["", "tel:+34911222333", "https://a.example/?x=1#y"]),
                        "privacy_url": st.sampled_from(["", "https://a.example/p"]),
                        "texts": st.dictionaries(
                            st.sampled_from(["no", "pt-BR"]),
                            st.dictionaries(st.sampled_from(["launcher", "consent"]), words, min_size=1),
                        ),
                    }
                ).map(lambda site: site | ({"on_accent": "#000000"} if site["accent"] == "#00e000" else {})),
                max_size=3,
            )
        ),
        "agents": {slug: draw(agents) for slug in agent_slugs},
        "teams": {
            slug: {
                "row": {
                    "name": draw(lines | st.just(slug)),
                    "catch_up": draw(st.integers(0, 3)),
                    "archived_at": draw(st.sampled_from([None, None, AT])),
                },
                "members": {
                    member: {"weight": draw(st.integers(1, 9)), "tier": draw(st.integers(1, 3))}
                    for member in (draw(st.sets(st.sampled_from(agent_slugs))) if agent_slugs else ())
                },
            }
            for slug in team_slugs
        },
        "policy": {
            "returning": draw(st.sampled_from(["same_agent", "rotate"])),
            "join_window": draw(st.sampled_from([0, 1, 90, 3_600, 86_400, 172_800])),
            "intent": {"hot": hot, "warm": warm},
            "sla": draw(slas),
            "acknowledge_within": draw(st.sampled_from([60, 300, 90_000])),
            "scoring": scoring,
            "rules": rules,
        },
        "is_published": draw(st.booleans()),
    }


def store(drawn):
    with one_change():
        workspace = Workspace.objects.create(slug="drawn", plan="scale", **drawn["row"])
        for site in drawn["sites"]:
            Site.objects.create(workspace=workspace, **site)
        by_slug = {}
        for slug, agent in drawn["agents"].items():
            row = by_slug[slug] = Agent.objects.create(workspace=workspace, slug=slug, **agent["row"])
            mine = {"workspace": workspace, "agent": row}
            Handle.objects.bulk_create(
                Handle(**mine, channel=channel, value=value) for channel, value in agent["handles"].items()
            )
            Shift.objects.bulk_create(Shift(**mine, **shift) for shift in agent["shifts"])
            TimeOff.objects.bulk_create(TimeOff(**mine, **absence) for absence in agent["time_off"])
        for slug, team in drawn["teams"].items():
            row = Team.objects.create(workspace=workspace, slug=slug, **team["row"])
            TeamMember.objects.bulk_create(
                TeamMember(workspace=workspace, team=row, agent=by_slug[member], **place)
                for member, place in team["members"].items()
            )
        if drawn["fallback"]:
            workspace.fallback_agent = by_slug[drawn["fallback"]]
            workspace.save()
    names = roster_names(workspace, archived=True)
    if drawn["is_published"]:
        replace_draft(workspace, normalise_policy(drawn["policy"], roster_names=names))
        publish(workspace=workspace, by=None, at=AT)
    return workspace


@settings(max_examples=times(0.5))
@given(drawn=workspaces())
def test_loading_what_was_dumped_changes_nothing(drawn):
    with transaction.atomic():
        workspace = store(drawn)
        dumped = dump(workspace)
        changes = RosterChange.objects.count()
        versions = Workspace.objects.values_list("roster_version", "policy_version").get(pk=workspace.pk)

        assert load(dumped.encode(), by=None, at=AT).changes == []
        assert RosterChange.objects.count() == changes
        assert Workspace.objects.values_list("roster_version", "policy_version").get(pk=workspace.pk) == versions
        assert dump(workspace) == dumped
        transaction.set_rollback(True)


@settings(max_examples=times(0.4))
@given(drawn=workspaces())
def test_a_dump_makes_the_same_workspace_elsewhere(drawn):
    for team in drawn["teams"].values():
        team["row"]["archived_at"] = None  # an archived team that a rule names is not in the file
    with transaction.atomic():
        workspace = store(drawn | {"is_published": True})
        dumped = dump(workspace)
        Site.objects.all().delete()

        load(dumped.replace("\n  slug: drawn\n", "\n  slug: copy\n").encode(), by=None, at=AT)

        copy = dump(Workspace.objects.get(slug="copy"))
        assert copy.replace("\n  slug: copy\n", "\n  slug: drawn\n") == dumped
        transaction.set_rollback(True)


values = st.recursive(
    lines | st.integers(0, 99) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=12,
)
sections = st.fixed_dictionaries({"one": st.lists(values, max_size=3), "two": st.fixed_dictionaries({"x": values})})


def as_texts(value):
    if isinstance(value, dict):
        return {key: as_texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_texts(one) for one in value]
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@settings(max_examples=times(2))
@given(document=sections)
def test_every_reader_of_yaml_reads_the_same(document):
    written = to_yaml(document)

    assert yaml.safe_load(written) == document
    assert texts(read(written.encode())) == as_texts(document)


@pytest.mark.parametrize("text", ["a\u2028b", "\x7f", "\x85", "\ufeffa", "a\nb\t", " a ", "x" * 300])
def test_what_cannot_be_seen_is_written_so_that_it_survives(text):
    written = to_yaml({"s": [text]})

    assert yaml.safe_load(written) == {"s": [text]}
    assert texts(read(written.encode())) == {"s": [text]}


def test_what_other_readers_would_take_for_something_else_is_quoted():
    written = to_yaml(
        {"s": ["NO", "18:00", "+34600111222", "007", "on", "Marta Ruiz", "ES-MD", "/pricing", "5m", "50%"]}
    )

    assert written.split() == [
        *("s:", "-", '"NO"', "-", '"18:00"', "-", '"+34600111222"', "-", '"007"', "-", '"on"'),
        *("-", "Marta", "Ruiz", "-", "ES-MD", "-", "/pricing", "-", "5m", "-", "50%"),
    ]
