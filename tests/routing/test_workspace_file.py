"""Loading a workspace from its file: what it makes, what it changes, what it leaves alone."""

import io
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from model_bakery import baker

from agents.models import (
    Agent,
    Handle,
    RosterChange,
    Shift,
    Site,
    Team,
    TeamMember,
    TimeOff,
    User,
    Workspace,
)
from agents.roster import history
from routing.models import Draft, Ledger, Load, PolicyVersion, Rule
from routing.publishing import draft_document, has_unpublished_changes, published_version
from routing.workspace_file import BadFile, dump, load

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

ACME = """\
workspace:
  slug: acme
  name: Acme
  timezone: Europe/Madrid
  plan: scale
  languages: [es, en]
  fallback_agent: marta
  returning: rotate
  join_window: 12h
  intent: {hot: 80, warm: 20}
  public_attributes: [plan]
sites:
  - {name: Main site, origins: ["https://www.example.com"], channels: [whatsapp, email]}
agents:
  - slug: marta
    name: Marta Ruiz
    title: Sales lead
    email: marta@example.com
    timezone: Atlantic/Canary
    languages: [es, en]
    territories: [ES, US-CA]
    tags: [senior]
    caps: {open: 20, hour: 6}
    handles: {whatsapp: 600111222, telegram: "@marta_acme", email: Marta@Example.com}
    shifts:
      - {days: [mon, tue], start: 09:00, end: 18:00}
      - {days: [fri], start: 22:00, end: 06:00, kind: on_call}
    time_off: [{from: 2026-08-01, to: 2026-08-16T12:30, note: Beach}]
    holidays: ES-MD
  - {slug: joao, name: João Lima, languages: [pt]}
teams:
  - {slug: iberia, name: Iberia, agents: [{agent: marta, weight: 3, tier: 2}, joao], catch_up: 2}
scoring:
  - {when: {all: [{field: page_path, op: starts_with, value: /pricing}]}, points: 40}
rules:
  - name: Spanish
    when: {all: [{field: country, op: in, value: [ES, PT]}]}
    route: {to: {team: iberia}, by: priority, require: [channel], prefer: [language], if_nobody: hold}
    sla: {respond_within: 5m, remind_at: [50%]}
  - {name: Rest, route: {to: queue}}
"""


def load_text(text, **kwargs):
    return load(text.encode(), **{"by": None, "at": AT, **kwargs})


def without(text, *sections):
    """The file without these sections."""
    kept = []
    keeps = True
    for line in text.splitlines():
        if not line.startswith(" "):
            keeps = line.split(":")[0] not in sections
        if keeps:
            kept.append(line)
    return "\n".join(kept) + "\n"


def acme():
    return Workspace.objects.get(slug="acme")


def versions():
    workspace = acme()
    return workspace.roster_version, workspace.policy_version


class TestFirstLoad:
    def test_makes_the_workspace_with_everything_in_it(self):
        load_text(ACME)

        workspace = acme()
        assert (workspace.name, workspace.timezone, workspace.plan) == ("Acme", "Europe/Madrid", "scale")
        assert (workspace.languages, workspace.public_attributes) == (["es", "en"], ["plan"])
        assert workspace.fallback_agent.slug == "marta"

    def test_makes_agents_with_handles_hours_and_leave(self):
        load_text(ACME)

        marta = Agent.objects.get(slug="marta")
        assert (marta.title, marta.email, marta.timezone) == ("Sales lead", "marta@example.com", "Atlantic/Canary")
        assert (marta.languages, marta.territories, marta.tags) == (["es", "en"], ["ES", "US-CA"], ["senior"])
        assert (marta.cap_open, marta.cap_hour, marta.cap_day, marta.cap_week) == (20, 6, None, None)
        assert (marta.is_active, marta.is_paused, marta.holiday_calendar) == (True, False, "ES-MD")
        assert dict(Handle.objects.filter(agent=marta).values_list("channel", "value")) == {
            "whatsapp": "+34600111222",
            "telegram": "marta_acme",
            "email": "marta@example.com",
        }
        shifts = Shift.objects.filter(agent=marta).order_by("weekday")
        assert list(shifts.values_list("weekday", "start_minute", "end_minute", "kind")) == [
            (0, 540, 1080, "regular"),
            (1, 540, 1080, "regular"),
            (4, 1320, 360, "on_call"),
        ]
        assert list(TimeOff.objects.values_list("starts_local", "ends_local", "note")) == [
            ("2026-08-01T00:00", "2026-08-16T12:30", "Beach")
        ]

    def test_makes_teams_with_weights_and_tiers(self):
        load_text(ACME)

        team = Team.objects.get(slug="iberia")
        assert (team.name, team.catch_up, team.archived_at) == ("Iberia", 2, None)
        assert list(team.members.order_by("id").values_list("agent__slug", "weight", "tier")) == [
            ("marta", 3, 2),
            ("joao", 1, 1),
        ]

    def test_publishes_the_rules(self):
        load_text(ACME)

        version = published_version(acme())
        assert (version.number, version.published_at, version.published_by) == (1, AT, None)
        assert version.document == {
            "returning": "rotate",
            "join_window": 12 * 3600,
            "intent": {"hot": 80, "warm": 20},
            "scoring": [
                {"when": {"all": [{"field": "page_path", "op": "starts_with", "value": "/pricing"}]}, "points": 40}
            ],
            "rules": [
                {
                    "name": "Spanish",
                    "when": {"all": [{"field": "country", "op": "in", "value": ["ES", "PT"]}]},
                    "route": {
                        "to": {"team": "iberia"},
                        "by": "priority",
                        "require": ["channel"],
                        "prefer": ["language"],
                        "if_nobody": "hold",
                    },
                    "sla": {"respond_within": 300, "remind_at": [50], "clock": "wall"},
                },
                {"name": "Rest", "route": {"to": "queue"}},
            ],
        }
        assert not has_unpublished_changes(acme())

    def test_makes_a_key_for_each_site(self):
        loaded = load_text(ACME)

        site = Site.objects.get()
        assert (site.name, site.origins) == ("Main site", ["https://www.example.com"])
        assert site.channels == ["whatsapp", "email"]
        assert len(site.key) >= 22
        assert loaded.sites == [site]

    def test_is_one_change_of_the_roster(self):
        load_text(ACME)

        assert versions() == (1, 1)

    def test_gives_ledgers_and_loads_to_who_needs_them(self):
        load_text(ACME)

        assert Ledger.objects.filter(team__slug="iberia").count() == 1
        assert Ledger.objects.filter(workspace=acme(), team=None).count() == 1
        assert Load.objects.count() == 2

    def test_of_the_least_file_has_the_defaults(self):
        load_text(
            "workspace: {slug: least, name: Least}\n"
            "agents: [{slug: a, name: A}]\nteams: [{slug: t, agents: [a]}]\n"
            "rules: [{name: All, route: {to: {team: t}}}]\n"
        )

        workspace = Workspace.objects.get(slug="least")
        assert (workspace.timezone, workspace.plan, workspace.languages) == ("UTC", "free", ["en"])
        agent = Agent.objects.get()
        assert (agent.timezone, agent.languages, agent.territories, agent.tags) == ("", [], [], [])
        assert not Shift.objects.exists()
        assert Team.objects.get().name == "t"
        assert TeamMember.objects.values_list("weight", "tier").get() == (1, 1)
        assert published_version(workspace).document == {
            "returning": "same_agent",
            "join_window": 86_400,
            "intent": {"hot": 70, "warm": 30},
            "scoring": [],
            "rules": [
                {
                    "name": "All",
                    "route": {
                        "to": {"team": "t"},
                        "by": "round_robin",
                        "require": [],
                        "prefer": [],
                        "if_nobody": "next_rule",
                    },
                }
            ],
        }

    def test_tells_what_it_made(self):
        assert load_text(ACME).changes == [
            "created workspace acme",
            "created site Main site",
            "created agent marta",
            "created agent joao",
            "created team iberia",
            "changed policy: returning, join_window, intent, scoring",
            "created rule Spanish",
            "created rule Rest",
            "published policy version 1, rules: 2",
        ]

    def test_is_written_down_to_whoever_loads(self):
        user = User.objects.create_user(email="owner@example.com", password="x")

        load_text(ACME, by=user)

        assert {change.actor for change in history(workspace=acme())} == {user}
        assert published_version(acme()).published_by == user


@pytest.mark.parametrize("quotes", ["", "'", '"'])
def test_scalars_are_typed_by_their_place(quotes):
    """`NO` is Norway, `18:00` a time, `+34600111222` a phone, `007` a slug, `on` a tag."""

    def q(text):
        return f"{quotes}{text}{quotes}"

    load_text(
        f"workspace: {{slug: {q('on')}, name: {q('no')}, plan: {q('scale')}}}\n"
        f"agents:\n  - slug: {q('007')}\n    name: {q('null')}\n    languages: [{q('no')}]\n"
        f"    territories: [{q('NO')}]\n    holidays: {q('NO')}\n    tags: [{q('on')}, {q('1e3')}]\n"
        f"    active: {q('yes')}\n    caps: {{open: {q('012')}}}\n"
        f"    handles: {{whatsapp: {q('+34600111222')}, phone: {q('+34600111222')}}}\n"
        f"    shifts: [{{days: [{q('sun')}], start: {q('07:00')}, end: {q('18:00')}}}]\n"
        f"    time_off: [{{from: {q('2026-08-01')}, to: {q('2026-08-02T18:00')}}}]\n"
        f"rules:\n  - name: {q('on')}\n    route: {{to: {{agent: {q('007')}}}, require: [{q('tags:on')}]}}\n"
        f"    when:\n      all:\n        - {{field: country, op: is, value: {q('NO')}}}\n"
        f"        - {{field: local_time, op: between, value: [{q('18:00')}, {q('7:00')}]}}\n"
        f"        - {{field: attributes.phone, op: is, value: {q('+34600111222')}}}\n"
        f"        - {{field: returning, op: is, value: {q('true')}}}\n"
        f"        - {{field: score, op: gte, value: {q('070')}}}\n"
    )

    workspace = Workspace.objects.get(slug="on")
    agent = Agent.objects.get(slug="007")
    assert (workspace.name, agent.name) == ("no", "null")
    assert (agent.languages, agent.territories, agent.holiday_calendar) == (["no"], ["NO"], "NO")
    assert (agent.tags, agent.cap_open, agent.is_active) == (["on", "1e3"], 12, True)
    assert sorted(Handle.objects.values_list("value", flat=True)) == ["+34600111222", "+34600111222"]
    assert Shift.objects.values_list("start_minute", "end_minute").get() == (420, 1080)
    assert TimeOff.objects.values_list("starts_local", "ends_local").get() == ("2026-08-01T00:00", "2026-08-02T18:00")
    (rule,) = published_version(workspace).document["rules"]
    assert rule["route"]["to"] == {"agent": "007"}
    assert [condition["value"] for condition in rule["when"]["all"]] == [
        "NO",
        ["18:00", "07:00"],
        "+34600111222",
        True,
        70,
    ]


@pytest.mark.parametrize(
    ("window", "minutes"),
    [
        ("start: 09:00, end: 24:00", (540, 1440)),
        ("start: 9:00, end: 00:00", (540, 1440)),
        ("start: 00:00, end: 24:00", (0, 1440)),
        ("start: 21:00, end: 02:00", (1260, 120)),
    ],
)
def test_a_shift_may_end_at_midnight_or_after(window, minutes):
    load_text(f"workspace: {{slug: w, name: W}}\nagents: [{{slug: a, name: A, shifts: [{{days: [sun], {window}}}]}}]\n")

    assert Shift.objects.values_list("start_minute", "end_minute").get() == minutes


class TestSecondLoad:
    def test_of_the_same_file_changes_nothing(self):
        load_text(ACME)
        changes = RosterChange.objects.count()
        ids = list(Shift.objects.values_list("id", flat=True))

        again = load_text(ACME)

        assert again.changes == []
        assert versions() == (1, 1)
        assert RosterChange.objects.count() == changes
        assert list(Shift.objects.values_list("id", flat=True)) == ids

    def test_of_the_same_things_in_another_order_changes_nothing(self):
        load_text(ACME)

        again = load_text(
            ACME.replace("days: [mon, tue]", "days: [tue, mon, mon]")
            .replace("{whatsapp: 600111222, telegram:", "{telegram:")
            .replace("email: Marta@Example.com}", "email: marta@example.com, whatsapp: +34600111222}")
            .replace("{agent: marta, weight: 3, tier: 2}, joao]", "joao, {agent: marta, tier: 2, weight: 3}]")
        )

        assert again.changes == []

    def test_tells_and_makes_each_difference(self):
        load_text(ACME)

        again = load_text(
            ACME.replace("name: Acme", "name: Acme SL")
            .replace("channels: [whatsapp, email]", "channels: [email]")
            .replace("name: Marta Ruiz", "name: Marta Ruiz Gil")
            .replace("hour: 6", "day: 6")
            .replace("telegram:", "instagram:")
            .replace("weight: 3", "weight: 5")
            .replace("points: 40", "points: 30")
            .replace("if_nobody: hold", "if_nobody: on_call")
            .replace("name: Rest", "name: Others")
        )

        assert again.changes == [
            "changed workspace acme: name",
            "changed site Main site: channels",
            "changed agent marta: name, caps, handles",
            "changed team iberia: agents",
            "changed policy: scoring",
            "changed rule Spanish: route",
            "created rule Others",
            "removed rule Rest",
            "published policy version 2, rules: 2",
        ]
        assert versions() == (2, 2)
        assert TeamMember.objects.get(agent__slug="marta").weight == 5

    def test_may_change_the_roster_alone(self):
        load_text(ACME)

        load_text(ACME.replace("tier: 2", "tier: 1"))

        assert versions() == (2, 1)

    def test_may_change_the_policy_alone(self):
        load_text(ACME)

        again = load_text(ACME.replace("join_window: 12h", "join_window: 24h"))

        assert again.changes == ["changed policy: join_window", "published policy version 2, rules: 2"]
        assert versions() == (1, 2)

    def test_tells_that_rules_changed_places(self):
        load_text(ACME)
        head, spanish = ACME.split("  - name: Spanish")
        spanish, rest = spanish.split("  - {name: Rest")

        again = load_text(f"{head}  - {{name: Rest{rest}  - name: Spanish{spanish}")

        assert again.changes == ["changed the order of rules", "published policy version 2, rules: 2"]
        assert [rule["name"] for rule in published_version(acme()).document["rules"]] == ["Rest", "Spanish"]

    def test_takes_what_the_file_no_longer_says_back_to_its_default(self):
        load_text(ACME)

        load_text(
            "workspace: {slug: acme, name: Acme, plan: scale}\n"
            "sites: [{name: Main site}]\nagents: [{slug: marta, name: Marta}]\nteams: [{slug: iberia}]\n"
        )

        workspace, marta = acme(), Agent.objects.get(slug="marta")
        assert (workspace.timezone, workspace.languages, workspace.fallback_agent) == ("UTC", ["en"], None)
        assert (marta.languages, marta.cap_open, marta.holiday_calendar, marta.title) == ([], None, "", "")
        assert not Handle.objects.filter(agent=marta).exists()
        assert not Shift.objects.filter(agent=marta).exists()
        assert not TimeOff.objects.exists()
        assert not TeamMember.objects.exists()
        assert Team.objects.get().name == "iberia"
        assert published_version(workspace).document["returning"] == "same_agent"


class TestSections:
    @pytest.mark.parametrize("section", ["sites", "agents", "teams", "scoring", "rules"])
    def test_one_that_is_absent_is_left_alone(self, section):
        load_text(ACME)
        before = dump(acme())

        again = load_text(without(ACME, section))

        assert again.changes == []
        assert dump(acme()) == before

    def test_all_but_the_workspace_may_be_absent(self):
        load_text(ACME)
        before = dump(acme())

        assert load_text(without(ACME, "sites", "agents", "teams", "scoring", "rules")).changes == []
        assert dump(acme()) == before

    def test_empty_ones_are_the_whole_truth_too(self):
        load_text(ACME)

        again = load_text(
            "workspace: {slug: acme, name: Acme, plan: scale}\n"
            "sites: []\nagents: []\nteams: []\nscoring: []\nrules: []\n"
        )

        assert not Site.objects.filter(is_active=True).exists()
        assert not Agent.objects.filter(is_active=True).exists()
        assert not Team.objects.filter(archived_at=None).exists()
        assert (draft_document(acme())["rules"], draft_document(acme())["scoring"]) == ([], [])
        assert "deactivated agent joao" in again.changes

    def test_an_agent_who_is_missing_becomes_inactive(self):
        load_text(ACME)

        again = load_text(ACME.replace("  - {slug: joao, name: João Lima, languages: [pt]}\n", ""))

        assert again.changes == ["deactivated agent joao"]
        assert load_text(ACME.replace("  - {slug: joao, name: João Lima, languages: [pt]}\n", "")).changes == []
        assert not Agent.objects.get(slug="joao").is_active
        assert TeamMember.objects.filter(agent__slug="joao").exists()

    def test_an_agent_who_is_back_stays_inactive_until_the_file_says_otherwise(self):
        load_text(ACME)
        load_text(ACME.replace("  - {slug: joao, name: João Lima, languages: [pt]}\n", ""))

        silent = load_text(ACME)
        assert silent.changes == []
        assert silent.notes == ["still inactive, because the file does not say `active: true`: joao"]

        load_text(ACME.replace("languages: [pt]", "languages: [pt], active: true"))
        assert Agent.objects.get(slug="joao").is_active

    @pytest.mark.parametrize("column", ["is_active", "is_paused"])
    def test_active_and_paused_are_left_alone_where_the_file_says_nothing(self, column):
        load_text(ACME)
        before = getattr(Agent.objects.get(slug="joao"), column)
        Agent.objects.filter(slug="joao").update(**{column: not before})

        load_text(ACME)

        assert getattr(Agent.objects.get(slug="joao"), column) is not before

    def test_active_and_paused_are_set_where_the_file_says_so(self):
        load_text(ACME.replace("languages: [pt]", "languages: [pt], active: false, paused: true"))
        joao = Agent.objects.get(slug="joao")
        assert (joao.is_active, joao.is_paused) == (False, True)

        Agent.objects.filter(slug="joao").update(pause_ends_at=AT)
        load_text(ACME.replace("languages: [pt]", "languages: [pt], active: true, paused: false"))
        joao.refresh_from_db()
        assert (joao.is_active, joao.is_paused, joao.pause_ends_at) == (True, False, None)

    def test_a_team_that_a_version_names_is_archived(self):
        load_text(ACME)

        again = load_text(without(ACME, "teams", "rules") + "teams: []\nrules: [{name: Rest, route: {to: queue}}]\n")

        assert "archived team iberia" in again.changes
        assert Team.objects.get(slug="iberia").archived_at == AT

    def test_a_team_that_nothing_names_is_deleted(self):
        two = ACME.replace("teams:\n", "teams:\n  - {slug: spare, agents: [joao]}\n")
        load_text(two)

        again = load_text(ACME)

        assert again.changes == ["removed team spare"]
        assert not Team.objects.filter(slug="spare").exists()

    def test_a_team_that_gave_out_turns_is_archived(self):
        load_text(ACME.replace("teams:\n", "teams:\n  - {slug: spare, agents: [joao]}\n"))
        Ledger.objects.filter(team__slug="spare").update(turns=1)

        assert load_text(ACME).changes == ["archived team spare"]

    def test_an_archived_team_comes_back_with_the_file(self):
        load_text(ACME)
        load_text(without(ACME, "teams", "rules") + "teams: []\nrules: []\n")
        team = Team.objects.get(slug="iberia")

        again = load_text(ACME)

        assert "changed team iberia: archived" in again.changes
        assert Team.objects.get(slug="iberia").pk == team.pk
        assert Team.objects.get(slug="iberia").archived_at is None

    def test_rules_left_alone_go_on_naming_a_team_that_went(self):
        load_text(ACME)

        load_text(without(ACME, "teams", "rules") + "teams: []\n")

        assert Team.objects.get(slug="iberia").archived_at == AT
        assert versions()[1] == 1
        assert load(dump(acme()).encode(), by=None, at=AT).changes == []

    def test_fallback_and_members_need_not_be_in_the_file_if_they_are_stored(self):
        load_text(ACME)

        again = load_text(without(ACME, "agents") + "agents: [{slug: joao, name: João Lima, languages: [pt]}]\n")

        assert again.changes == ["deactivated agent marta"]
        assert acme().fallback_agent.slug == "marta"


class TestDraft:
    def test_that_was_not_published_is_overwritten_and_told(self):
        load_text(ACME)
        Rule.objects.filter(name="Rest").update(name="Changed by hand")

        again = load_text(ACME)

        assert again.changes == ["overwrote the unpublished draft"]
        assert not has_unpublished_changes(acme())
        assert versions()[1] == 1

    def test_is_told_with_a_new_version_too(self):
        load_text(ACME)
        Rule.objects.filter(name="Rest").delete()

        again = load_text(ACME.replace("points: 40", "points: 41"))

        assert again.changes[0] == "overwrote the unpublished draft"
        assert again.changes[-1] == "published policy version 2, rules: 2"
        assert not has_unpublished_changes(acme())

    def test_is_left_alone_by_a_file_that_says_nothing_of_the_policy(self):
        load_text(ACME)
        Rule.objects.filter(name="Rest").update(name="Changed by hand")

        assert load_text(without(ACME, "scoring", "rules")).changes == []
        assert has_unpublished_changes(acme())

    def test_that_says_what_the_file_says_is_published_and_not_overwritten(self):
        load_text(ACME)
        Rule.objects.filter(name="Rest").update(name="Others")

        again = load_text(ACME.replace("name: Rest", "name: Others"))

        assert again.changes == ["created rule Others", "removed rule Rest", "published policy version 2, rules: 2"]

    def test_that_was_never_published_is_not_published_by_a_file_without_rules(self):
        workspace = Workspace.objects.create(slug="acme", name="Acme")
        Rule.objects.create(workspace=workspace, name="Mine", to_kind="queue")

        loaded = load_text("workspace: {slug: acme, name: Acme, returning: rotate}\n")

        assert loaded.changes[-1].startswith("published nothing")
        assert acme().policy_version == 0
        assert Rule.objects.get().name == "Mine"
        assert Draft.objects.get().returning == "rotate"

    def test_of_a_file_without_rules_publishes_for_a_new_workspace(self):
        load_text("workspace: {slug: acme, name: Acme, returning: rotate}\n")

        assert published_version(acme()).document["returning"] == "rotate"
        assert published_version(acme()).document["rules"] == []

    def test_settings_change_without_the_rules(self):
        load_text(ACME)
        Rule.objects.filter(name="Rest").update(name="Changed by hand")

        again = load_text(without(ACME, "scoring", "rules").replace("returning: rotate", "returning: same_agent"))

        assert again.changes == [
            "overwrote the unpublished draft",
            "changed policy: returning",
            "published policy version 2, rules: 2",
        ]
        assert [rule["name"] for rule in published_version(acme()).document["rules"]] == ["Spanish", "Rest"]


class TestSites:
    def test_are_known_by_key(self):
        key = load_text(ACME).sites[0].key

        again = load_text(ACME.replace("name: Main site", f"key: {key}, name: New name"))

        assert again.changes == ["changed site New name: name"]
        assert Site.objects.get().key == key

    def test_are_known_by_name_without_a_key(self):
        load_text(ACME)
        key = Site.objects.get().key

        again = load_text(ACME.replace("www.example.com", "example.org"))

        assert again.changes == ["changed site Main site: origins"]
        assert Site.objects.get().key == key

    def test_take_the_key_that_the_file_brings(self):
        load_text(ACME.replace("name: Main site", "key: brought-from-elsewhere, name: Main site"))

        assert Site.objects.get().key == "brought-from-elsewhere"

    def test_of_one_name_are_told_apart_by_their_keys(self):
        text = without(ACME, "sites") + "sites: [{name: S, key: first}, {name: S, channels: [email]}]\n"
        load_text(text)
        keys = set(Site.objects.values_list("key", flat=True))

        assert load_text(text).changes == []
        assert len(keys) == 2
        assert Site.objects.get(key="first").channels == []

    def test_that_are_missing_go(self):
        load_text(ACME)

        again = load_text(without(ACME, "sites") + "sites: [{name: Other}]\n")

        assert again.changes == ["created site Other", "removed site Main site"]
        assert [site.name for site in again.sites] == ["Other"]

    def test_that_a_lead_came_from_are_closed_and_open_again_with_the_file(self):
        site = load_text(ACME).sites[0]
        baker.make("leads.Lead", workspace=acme(), site=site, outcome="held", status="open")

        gone = load_text(without(ACME, "sites") + "sites: []\n")
        assert gone.changes == ["archived site Main site"]
        assert gone.sites == []

        back = load_text(ACME)
        assert back.changes == ["changed site Main site: active"]
        assert back.sites == [site]

    def test_of_one_name_are_the_open_one_first(self):
        load_text(ACME)
        Site.objects.update(is_active=False)
        still_open = Site.objects.create(workspace=acme(), name="Main site")

        loaded = load_text(ACME)

        assert loaded.sites == [still_open]

    def test_of_another_workspace_are_refused(self):
        key = load_text(ACME).sites[0].key

        with pytest.raises(BadFile) as refused:
            load_text(f"workspace: {{slug: other, name: Other}}\nsites:\n  - name: Mine\n    key: {key}\n")

        assert str(refused.value) == (
            "4: sites[0].key: this key belongs to another workspace: remove it, and a new one is made"
        )
        assert not Workspace.objects.filter(slug="other").exists()


class TestWorkspaces:
    def test_do_not_see_each_other(self):
        load_text(ACME)
        before = dump(acme())

        load_text(ACME.replace("slug: acme", "slug: other"))

        assert dump(acme()) == before
        assert Agent.objects.filter(slug="marta").count() == 2
        assert load_text(ACME).changes == []

    def test_do_not_lend_each_other_agents(self):
        load_text(ACME)

        with pytest.raises(BadFile, match="there is no agent 'marta'"):
            load_text("workspace: {slug: other, name: Other, fallback_agent: marta}\n")


class TestCommands:
    def run(self, *args):
        out, err = io.StringIO(), io.StringIO()
        call_command(*args, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "acme.yaml"
        path.write_text(ACME)
        return path

    def test_load_prints_what_changed_and_the_keys(self, file):
        out, _err = self.run("load_workspace", str(file))

        lines = out.splitlines()
        assert lines[0] == "created workspace acme"
        assert lines[-1] == f"site key {Site.objects.get().key} Main site"

    def test_load_says_that_nothing_changed(self, file):
        self.run("load_workspace", str(file))

        out, _err = self.run("load_workspace", str(file))

        assert out.splitlines()[0] == "nothing changed"

    def test_load_reads_standard_input(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ACME.encode())))

        self.run("load_workspace", "-")

        assert acme().name == "Acme"

    def test_load_names_standard_input_in_faults(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"workspace:\n  slug: x\n")))

        with pytest.raises(CommandError, match=r"\n-:1: workspace: 'name' is missing"):
            self.run("load_workspace", "-")

    def test_load_refuses_a_bad_file_and_changes_nothing(self, file):
        file.write_text(ACME.replace("field: country", "field: contry"))

        with pytest.raises(CommandError) as refused:
            self.run("load_workspace", str(file))

        assert refused.value.returncode == 2
        assert str(refused.value).splitlines()[1] == (
            f"{file}:37: rules[0].when: unknown field 'contry' (did you mean 'country'?)"
        )
        assert not Workspace.objects.exists()
        assert not PolicyVersion.objects.exists()

    def test_load_shows_twenty_faults_and_counts_the_others(self, file):
        file.write_text("workspace:\n" + "".join(f"  k{n}: 1\n" for n in range(30)))

        with pytest.raises(CommandError) as refused:
            self.run("load_workspace", str(file))

        lines = str(refused.value).splitlines()
        assert len(lines) == 1 + 20 + 1
        assert lines[-1] == "and 12 more"

    def test_load_says_why_a_file_cannot_be_read(self, tmp_path):
        with pytest.raises(CommandError, match=r"nowhere\.yaml: No such file") as refused:
            self.run("load_workspace", str(tmp_path / "nowhere.yaml"))

        assert refused.value.returncode == 2

    def test_dump_prints_what_load_reads(self, file):
        self.run("load_workspace", str(file))

        out, err = self.run("dump_workspace", "acme")
        file.write_text(out)

        assert err == ""
        assert self.run("load_workspace", str(file))[0].splitlines()[0] == "nothing changed"

    def test_dump_tells_of_a_draft_that_is_not_in_it(self, file):
        self.run("load_workspace", str(file))
        Rule.objects.filter(name="Rest").update(name="Changed by hand")

        out, err = self.run("dump_workspace", "acme")

        assert "Changed by hand" not in out
        assert "not published" in err

    def test_dump_knows_no_other_workspace(self, file):
        self.run("load_workspace", str(file))

        with pytest.raises(CommandError, match="there is no workspace 'acmee' \\(did you mean 'acme'\\?\\)") as refused:
            self.run("dump_workspace", "acmee")

        assert refused.value.returncode == 2


def test_a_bad_file_ends_the_process_with_two(tmp_path, settings):
    """The exit status is what a script sees."""
    path = tmp_path / "bad.yaml"
    path.write_text("workspace: [\n")

    ended = subprocess.run(
        [sys.executable, "manage.py", "load_workspace", str(path)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert f"\n{path}:" in ended.stderr
