"""Agents, teams, sites and keys as managers edit them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agents import rostering
from agents.models import Agent, ApiKey, Handle, RosterChange, Shift, Site, Team, TeamMember, TimeOff, Workspace
from agents.week import windows_of
from agents.workspace_stamp import stamp
from tests.crawler import forms_in

pytestmark = pytest.mark.django_db

EMPTY = {
    f"{prefix}-{count}": "0"
    for prefix in ("handles", "time_off", "members")
    for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}


def rows(prefix, *filled):
    """The fields of new rows of an inline."""
    data = {f"{prefix}-TOTAL_FORMS": str(len(filled)), f"{prefix}-INITIAL_FORMS": "0"}
    for place, values in enumerate(filled):
        data |= {f"{prefix}-{place}-{name}": value for name, value in values.items()}
    return data


@pytest.fixture
def save(as_manager, acme):
    """Posts a form of the admin in acme's workspace."""

    def post(path, **data):
        return as_manager.post(
            f"/admin/agents/{path}{'' if '?' in path else '/'}", {**EMPTY, "_workspace": stamp(acme.workspace), **data}
        )

    return post


def errors_of(response):
    """What the page says is wrong, as people read it."""
    return " ".join(re.findall(r'class="errorlist[^"]*"[^>]*>(.*?)</ul>', response.content.decode(), re.DOTALL))


class TestAgent:
    def test_is_made_with_handles_shifts_and_time_off_under_one_version(self, save, acme):
        before = Agent.objects.for_workspace(acme.workspace).count()
        response = save(
            "agent/add",
            name="Marta Ruiz",
            languages="ES, pt_br",
            territories="es, us-ca",
            tags="Senior, big  deals",
            is_active="on",
            cap_open="20",
            holiday_calendar="ES-MD",
            **rows("handles", {"channel": "whatsapp", "value": "600 111 222"}),
            hours_0="9:00–24:00",
            **rows("time_off", {"starts_local": "2026-08-01", "ends_local": "2026-08-16T12:00", "note": "Summer"}),
        )

        assert response.status_code == 302, errors_of(response)
        assert Agent.objects.for_workspace(acme.workspace).count() == before + 1
        agent = Agent.objects.get(slug="marta-ruiz")
        assert agent.workspace == acme.workspace
        assert (agent.languages, agent.territories, agent.tags) == (
            ["es", "pt-BR"],
            ["ES", "US-CA"],
            ["senior", "big deals"],
        )
        assert Handle.objects.get(agent=agent).value == "+34600111222"
        shift = Shift.objects.get(agent=agent)
        assert (shift.start_minute, shift.end_minute) == (540, 1440)
        away = TimeOff.objects.get(agent=agent)
        assert (away.starts_local, away.ends_local) == ("2026-08-01T00:00", "2026-08-16T12:00")
        versions = RosterChange.objects.filter(values__agent_id=agent.pk).values_list("version", flat=True)
        assert len(set(versions)) == 1

    def test_takes_languages_and_places_by_their_names(self, save):
        save(
            "agent/add",
            name="Ana",
            languages="Spanish, Portuguese (Brazil), Chinese (Traditional, Taiwan)",
            territories="Spain, United States (CA)",
            holiday_calendar="Spain (MD)",
        )

        agent = Agent.objects.get(slug="ana")
        assert agent.languages == ["es", "pt-BR", "zh-Hant-TW"]
        assert agent.territories == ["ES", "US-CA"]
        assert agent.holiday_calendar == "ES-MD"

    def test_page_shows_names_and_saves_them_as_they_were(self, as_manager, save, acme):
        agent = acme.rows[Agent][0]
        page = as_manager.get(f"/admin/agents/agent/{agent.pk}/change/")
        form = page.context["adminform"].form
        shown = {name: form[name].value() for name in form.fields}
        typed = {name: str(form.fields[name].prepare_value(value) or "") for name, value in shown.items()}
        version = RosterChange.objects.order_by("-version").first().version

        assert typed["languages"] == "Spanish, English"
        assert save(f"agent/{agent.pk}/change", **{**typed, "is_active": "on", "is_paused": ""}).status_code == 302
        assert not RosterChange.objects.filter(version__gt=version, kind="shift").exists()
        assert Agent.objects.get(pk=agent.pk).languages == agent.languages

    def test_week_is_replaced_by_what_is_typed_and_what_stays_is_left_alone(self, save, acme):
        agent = acme.rows[Agent][0]  # Mondays, 09:00 to 18:00
        stays = Shift.objects.get(agent=agent).pk
        sent = {"name": "Ana", "is_active": "on", "hours_0": "9-18, 22 to 6", "on_call_5": "00:00–24:00"}

        assert save(f"agent/{agent.pk}/change", **sent).status_code == 302

        shifts = Shift.objects.filter(agent=agent).order_by("weekday", "start_minute")
        assert list(shifts.values_list("weekday", "start_minute", "end_minute", "kind")) == [
            (0, 540, 1080, "regular"),
            (0, 1320, 360, "regular"),
            (5, 0, 1440, "on_call"),
        ]
        assert shifts[0].pk == stays

    def test_saved_without_a_week_keeps_its_shifts(self, save, acme):
        agent = acme.rows[Agent][0]

        assert save(f"agent/{agent.pk}/change", name="Ana", is_active="on").status_code == 302

        assert Shift.objects.filter(agent=agent).count() == 1

    def test_keeps_a_week_that_cannot_be_read_as_it_was_typed(self, save, acme):
        agent = acme.rows[Agent][0]
        response = save(f"agent/{agent.pk}/change", name="Ana", is_active="on", hours_0="9-18", hours_1="nine to five")

        assert 'value="nine to five"' in response.content.decode()
        assert Shift.objects.filter(agent=agent).count() == 1

    def test_pause_ends_by_the_workspaces_clock(self, save, acme):
        agent = acme.rows[Agent][0]
        sent = {"name": "Ana", "is_active": "on", "is_paused": "on", "pause_ends_at": "2990-07-01T09:00"}

        assert save(f"agent/{agent.pk}/change", **sent).status_code == 302
        paused = Agent.objects.get(pk=agent.pk)
        assert paused.pause_ends_at == datetime(2990, 7, 1, 7, tzinfo=UTC)  # Madrid, in summer
        assert rostering.end_pauses(at=datetime(2990, 7, 1, 6, 59, tzinfo=UTC)) == 0
        assert rostering.end_pauses(at=datetime(2990, 7, 1, 7, tzinfo=UTC)) == 1
        assert rostering.end_pauses(at=datetime(2990, 7, 1, 7, tzinfo=UTC)) == 0
        assert not Agent.objects.get(pk=agent.pk).is_paused

    def test_pause_that_is_taken_off_does_not_end_the_next_one(self, save, acme):
        agent = acme.rows[Agent][0]
        until = datetime(2990, 7, 1, 7, tzinfo=UTC)
        only = Agent.objects.filter(pk=agent.pk)
        rostering.set_paused(agents=only, paused=True, until=until)

        rostering.set_paused(agents=only, paused=False)
        rostering.set_paused(agents=only, paused=True)

        assert rostering.end_pauses(at=until) == 0

    def test_page_tells_their_time_beside_the_workspaces(self, as_manager, acme):
        Agent.objects.filter(pk=acme.rows[Agent][0].pk).update(timezone="Asia/Tokyo")
        clocks = [f"{datetime.now(ZoneInfo(zone)):%A %H:%M}" for zone in ("Asia/Tokyo", "Europe/Madrid")]

        page = as_manager.get(f"/admin/agents/agent/{acme.rows[Agent][0].pk}/change/").content.decode()

        theirs, own = re.search(r"(\w+ \d\d:)\d\d where they are.*?(\w+ \d\d:)\d\d in the workspace", page).groups()
        assert [theirs, own] == [clock[:-2] for clock in clocks]

    def test_is_linked_to_a_user_by_an_invitation_alone(self, save, acme, other, manager):
        linked = acme.rows[Agent][0]
        free = Agent.objects.create(workspace=acme.workspace, slug="free", name="Free")
        for agent in (linked, free):
            for user in (manager, other.user):
                save(f"agent/{agent.pk}/change", name="Ana", user=user.pk)
        save("agent/add", name="New", user=manager.pk)

        users = dict(Agent.objects.for_workspace(acme.workspace).values_list("slug", "user"))
        assert users == {linked.slug: acme.user.pk, "free": None, "new": None}
        save(f"agent/{linked.pk}/change", name="Ana", user="")
        assert Agent.objects.get(pk=linked.pk).user is None

    def test_tries_a_handle_while_it_is_typed(self, as_manager, acme):
        def tried(**sent):
            return as_manager.get("/admin/agents/agent/handle/", sent).json()

        assert tried(channel="whatsapp", value="600 111 222") == {
            "value": "+34600111222",
            "link": "https://wa.me/34600111222",
        }
        assert "Write it like" in tried(channel="whatsapp", value="hello")["error"]
        assert "no channel" in tried(channel="fax", value="1")["error"]

    def test_is_written_down_to_whoever_changed_it(self, save, acme, manager):
        save("agent/add", name="Ana", is_active="on")

        assert RosterChange.objects.get(kind="agent", values__name="Ana").actor == manager

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("hours_0", "9 o'clock", "is no window of time"),
            ("hours_0", "09:00-18:00, 09:00–09:00", "ends when it starts"),
            ("hours_0", "09:00–24:30", "is no window of time"),
            ("on_call_6", "24:00–06:00", "starts between 00:00 and 23:59"),
            ("pause_ends_at", "2020-01-01T00:00", "This is over already"),
            ("pause_ends_at", "2990-01-01T00:00", "Nobody is paused here"),
            ("languages", "klingonish", "is not a language tag"),
            ("territories", "Spian", "is neither a country nor a region"),
            ("tags", "a:b", "cannot be a tag"),
            ("timezone", "Europe/Madird", "Did you mean Europe/Madrid?"),
            ("holiday_calendar", "ES-XX", "There is no holiday calendar"),
            ("photo_url", "http://x.example/a.png", "Enter a valid URL"),
            ("cap_hour", "0", "A cap is at least 1"),
            ("slug", "zqalpha-slug", "There is an agent with this slug already"),
            ("slug", "a b", "A slug is letters"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, save, field, value, sentence):
        response = save("agent/add", **{"name": "Ana", field: value})

        form = response.context["adminform"].form
        assert sentence in " ".join(form.errors[field])
        assert not Agent.objects.filter(name="Ana").exists()

    @pytest.mark.parametrize(
        ("prefix", "row", "field", "sentence"),
        [
            ("handles", {"channel": "whatsapp", "value": "hello"}, "value", "Write it like +34600111222"),
            ("handles", {"channel": "skype", "value": "x"}, "channel", "Select a valid choice"),
            (
                "time_off",
                {"starts_local": "2026-02-30T00:00", "ends_local": "2026-03-02"},
                "starts_local",
                "no such date",
            ),
            (
                "time_off",
                {"starts_local": "2026-03-02", "ends_local": "2026-03-01"},
                "ends_local",
                "ends after it starts",
            ),
        ],
    )
    def test_says_at_the_row_what_is_wrong(self, save, prefix, row, field, sentence):
        response = save("agent/add", name="Ana", **rows(prefix, row))

        formset = next(f for f in response.context["inline_admin_formsets"] if f.formset.prefix == prefix).formset
        assert sentence in " ".join(formset.forms[0].errors[field])

    def test_has_one_handle_a_channel(self, save):
        twice = rows("handles", *[{"channel": "phone", "value": f"+3460011122{n}"} for n in (1, 2)])
        response = save("agent/add", name="Ana", **twice)

        assert response.status_code == 200
        assert not Agent.objects.filter(name="Ana").exists()

    def test_over_the_plan_is_refused_with_the_limit(self, save, acme):
        acme.workspace.plan = "free"
        type(acme.workspace).objects.filter(pk=acme.workspace.pk).update(plan="free")
        Agent.objects.create(workspace=acme.workspace, slug="second", name="Second")

        response = save("agent/add", name="Third", is_active="on")

        assert "The Free plan has 2 active agents" in " ".join(response.context["adminform"].form.errors["is_active"])

    def test_slugs_of_two_with_one_name_differ(self, save):
        save("agent/add", name="Ana López")
        save("agent/add", name="Ana Lopez")

        assert set(Agent.objects.filter(name__startswith="Ana").values_list("slug", flat=True)) == {
            "ana-lopez",
            "ana-lopez-2",
        }

    def test_is_never_deleted(self, as_manager, acme):
        agent = acme.rows[Agent][0]

        assert as_manager.get(f"/admin/agents/agent/{agent.pk}/delete/").status_code == 403

    def test_actions_pause_and_activate_within_the_plan(self, save, acme):
        agent = acme.rows[Agent][0]
        chosen = {"_selected_action": agent.pk, "index": "0"}

        save("agent", action="pause", **chosen)
        assert Agent.objects.get(pk=agent.pk).is_paused
        save("agent", action="resume", **chosen)
        save("agent", action="deactivate", **chosen)
        assert not Agent.objects.get(pk=agent.pk).is_active
        for number in (1, 2):
            Agent.objects.create(workspace=acme.workspace, slug=f"more-{number}", name="More")
        type(acme.workspace).objects.filter(pk=acme.workspace.pk).update(plan="free")
        save("agent", action="activate", **chosen)

        assert not Agent.objects.get(pk=agent.pk).is_active


class TestSeveralPeople:
    @pytest.fixture
    def chosen(self, acme):
        made = [Agent.objects.create(workspace=acme.workspace, slug=slug, name=slug.title()) for slug in ("ana", "bo")]
        return [agent.pk for agent in made]

    def test_are_paused_until_a_moment_to_come(self, save, chosen):
        asked = save("agent", action="pause_until", _selected_action=chosen)
        assert "Ana, Bo" in asked.content.decode()
        late = save("agent", action="pause_until", _selected_action=chosen, apply="1", until="2020-01-01T00:00")
        assert "This is over already" in late.content.decode()
        assert 'value="2020-01-01T00:00"' in late.content.decode()
        assert not Agent.objects.filter(is_paused=True).exists()

        save("agent", action="pause_until", _selected_action=chosen, apply="1", until="2990-07-01T09:00")

        ends = Agent.objects.filter(pk__in=chosen, is_paused=True).values_list("pause_ends_at", flat=True)
        assert list(ends) == [datetime(2990, 7, 1, 7, tzinfo=UTC)] * 2

    def test_get_the_same_time_off(self, save, chosen):
        sent = {"action": "add_time_off", "_selected_action": chosen, "apply": "1", "note": "Outing"}
        wrong = save("agent", **sent, starts_local="2026-08-02", ends_local="2026-08-01")
        assert "ends after it starts" in wrong.content.decode()
        assert not TimeOff.objects.filter(agent__in=chosen).exists()

        save("agent", **sent, starts_local="2026-08-01", ends_local="2026-08-02T12:00")

        off = TimeOff.objects.filter(agent__in=chosen).values_list("starts_local", "ends_local", "note")
        assert list(off) == [("2026-08-01T00:00", "2026-08-02T12:00", "Outing")] * 2

    def test_work_as_somebody_else_does(self, save, chosen, acme, other):
        source = acme.rows[Agent][0]
        Shift.objects.create(workspace=acme.workspace, agent_id=chosen[0], weekday=6, start_minute=0, end_minute=60)
        sent = {"action": "copy_shifts", "_selected_action": chosen, "apply": "1"}
        theirs = save("agent", **sent, source=other.rows[Agent][0].pk)
        assert "There is nobody called" in theirs.content.decode()

        save("agent", **sent, source=source.name)

        for agent in chosen:
            assert windows_of(Shift.objects.filter(agent=agent)) == windows_of(source.shifts.all())

    def test_of_another_workspace_are_left_alone(self, save, other):
        theirs = [agent.pk for agent in other.rows[Agent]]

        save("agent", action="pause_until", _selected_action=theirs, apply="1", until="2990-07-01T09:00")

        assert not Agent.objects.filter(is_paused=True).exists()


class TestTeam:
    def test_is_made_with_members(self, save, acme):
        agent = acme.rows[Agent][0]
        response = save(
            "team/add", name="Iberia", catch_up="0", **rows("members", {"agent": agent.pk, "weight": "3", "tier": "2"})
        )

        assert response.status_code == 302, errors_of(response)
        member = TeamMember.objects.get(team__slug="iberia")
        assert (member.agent, member.weight, member.tier) == (agent, 3, 2)

    def test_takes_members_by_name_and_asks_back_for_whom_it_does_not_know(self, save, acme):
        Agent.objects.create(workspace=acme.workspace, slug="nadia", name="Nadia Night")
        for slug in ("two", "twin"):
            Agent.objects.create(workspace=acme.workspace, slug=slug, name="Same Name")
        known = [{"agent": name, "weight": "2", "tier": "1"} for name in ("nadia night", "Same Name (twin)")]
        unknown = {"agent": "Nadia Nihgt", "weight": "1", "tier": "1"}

        refused = save("team/add", name="Night", catch_up="0", **rows("members", unknown)).content.decode()
        assert "There is nobody called “Nadia Nihgt” here. Did you mean Nadia Night?" in refused
        assert 'value="Nadia Nihgt"' in refused
        assert save("team/add", name="Night", catch_up="0", **rows("members", *known)).status_code == 302

        members = TeamMember.objects.filter(team__slug="night").order_by("id")
        assert list(members.values_list("agent__slug", "weight")) == [("nadia", 2), ("twin", 2)]

    def test_takes_nobody_of_another_workspace(self, save, other):
        theirs = {"agent": other.rows[Agent][0].pk, "weight": "1", "tier": "1"}

        assert save("team/add", name="Night", catch_up="0", **rows("members", theirs)).status_code == 200
        assert not Team.objects.filter(slug="night").exists()

    def test_of_170_is_saved_as_it_is_shown(self, as_manager, acme, django_assert_max_num_queries):
        ws, team = acme.workspace, Team.objects.create(workspace=acme.workspace, slug="big", name="Big")
        people = Agent.objects.bulk_create(Agent(workspace=ws, slug=f"a{n}", name=f"Agent {n}") for n in range(170))
        TeamMember.objects.bulk_create(TeamMember(workspace=ws, team=team, agent=agent) for agent in people)
        address = f"/admin/agents/team/{team.pk}/change/"
        form = next(form for form in forms_in(as_manager.get(address), address) if "members-TOTAL_FORMS" in form.values)

        with django_assert_max_num_queries(250):  # Django looks each row up once
            assert as_manager.post(address, {**form.values, "members-7-weight": "3"}).status_code == 302

        assert set(team.members.values_list("weight", flat=True)) == {1, 3}

    def test_with_all_weights_0_is_refused(self, save, acme):
        agent = acme.rows[Agent][0]
        response = save(
            "team/add", name="Iberia", catch_up="0", **rows("members", {"agent": agent.pk, "weight": "0", "tier": "1"})
        )

        assert "All weights of this team are 0" in response.content.decode()
        assert not Team.objects.filter(slug="iberia").exists()

    def test_is_archived_and_restored_but_never_deleted(self, save, as_manager, acme):
        team = acme.rows[Team][0]

        save("team", action="archive", _selected_action=team.pk)
        assert Team.objects.get(pk=team.pk).archived_at is not None
        assert team.name not in as_manager.get("/admin/agents/team/").content.decode()
        assert team.name in as_manager.get("/admin/agents/team/?state=archived").content.decode()
        save("team/?state=archived", action="restore", _selected_action=team.pk)
        assert Team.objects.get(pk=team.pk).archived_at is None
        assert as_manager.get(f"/admin/agents/team/{team.pk}/delete/").status_code == 403


class TestApiKey:
    def test_is_shown_once_and_stored_as_a_hash(self, save, as_manager):
        response = save("apikey/add", name="CRM", scopes=["leads:write", "leads:read"])
        key = re.search(r"sy_[\w-]{43}", response.content.decode())[0]
        row = ApiKey.objects.find(key)

        assert row.scopes == ["leads:write", "leads:read"]
        assert "no-store" in response["Cache-Control"]
        for page in ("/admin/agents/apikey/", f"/admin/agents/apikey/{row.pk}/change/", "/admin/"):
            assert key not in as_manager.get(page).content.decode()
        assert key not in str(as_manager.cookies)

    def test_needs_something_that_it_may_do(self, save):
        assert "Choose at least one" in errors_of(save("apikey/add", name="CRM"))

    def test_is_revoked(self, save, acme):
        key = acme.rows[ApiKey][0]

        save("apikey", action="revoke", _selected_action=key.pk)

        assert ApiKey.objects.get(pk=key.pk).revoked_at is not None


class TestHistory:
    def test_says_who_changed_what_from_what_to_what(self, save, as_manager, acme, manager):
        agent = acme.rows[Agent][0]
        save("agent", action="pause", _selected_action=agent.pk)

        page = as_manager.get("/admin/agents/rosterchange/").content.decode()

        assert manager.email in page
        assert re.search(r"paused</dt><dd><del>no</del>\s*<ins>yes</ins>", page)

    def test_says_names_and_moments_and_no_codes(self, as_manager, acme):
        agent = acme.rows[Agent][0]
        agent.languages, agent.territories, agent.is_paused = ["pt-BR"], ["US-CA"], True
        agent.pause_ends_at = datetime(2026, 7, 1, 7, tzinfo=UTC)
        agent.save()

        page = as_manager.get("/admin/agents/rosterchange/").content.decode()

        for words in ("Portuguese (Brazil)", "United States (CA)", "1 Jul 2026, 09:00"):
            assert f"<ins>{words}</ins>" in page

    def test_is_narrowed_to_a_person_and_to_days(self, save, as_manager, acme, manager):
        save("agent", action="pause", _selected_action=acme.rows[Agent][0].pk)

        def shown(**query):
            page = as_manager.get("/admin/agents/rosterchange/", query).content.decode()
            return len(re.findall(r"<del>no</del>\s*<ins>yes</ins>", page))

        assert shown(by=manager.pk) == 1
        assert shown(by=acme.user.pk) == 0
        assert shown(changed_at_to="2020-01-01") == 0
        assert shown(by="1; drop") == shown(by=10**9) == 1  # nobody who is offered: not narrowed

    def test_leads_from_the_roster_to_the_policy_and_back(self, as_manager):
        for page, there in (
            ("agents/rosterchange", "routing/policyversion"),
            ("routing/policyversion", "agents/rosterchange"),
        ):
            assert f'href="/admin/{there}/"' in as_manager.get(f"/admin/{page}/").content.decode()


class TestThePlan:
    def test_is_shown_with_what_is_used_of_it(self, as_manager, acme):
        Agent.objects.for_workspace(acme.workspace).update(cap_day=30)
        Workspace.objects.filter(pk=acme.workspace.pk).update(plan="free")

        page = as_manager.get(f"/admin/agents/workspace/{acme.workspace.pk}/change/").content.decode()

        rows = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
        assert ["Active", "agents", "up", "to", "2", "1"] in rows
        assert next(row for row in rows if row[:1] == ["Caps"])[1:3] == ["no", "1"]


class TestLists:
    def test_take_no_more_statements_with_1000_people_than_with_few(
        self, as_manager, acme, django_assert_max_num_queries
    ):
        ws = acme.workspace
        now = datetime(2026, 3, 2, tzinfo=UTC)
        Agent.objects.bulk_create(
            Agent(workspace=ws, slug=f"a{n}", name=f"Agent {n}", languages=["es"]) for n in range(1_000)
        )
        agents = list(Agent.objects.for_workspace(ws))
        Team.objects.bulk_create(Team(workspace=ws, slug=f"t{n}", name=f"Team {n}") for n in range(300))
        teams = list(Team.objects.for_workspace(ws))
        TeamMember.objects.bulk_create(
            TeamMember(workspace=ws, team=team, agent=agents[n % len(agents)])
            for n, team in enumerate(teams)
            if team not in acme.rows[Team]
        )
        Site.objects.bulk_create(Site(workspace=ws, name=f"Site {n}") for n in range(300))
        ApiKey.objects.bulk_create(
            ApiKey(workspace=ws, name=f"Key {n}", hash=f"{n:064}", prefix="sy_", scopes=["leads:read"], created_at=now)
            for n in range(300)
        )
        as_manager.get("/admin/agents/agent/")  # compiles the roster once

        for model in ("agent", "team", "site", "apikey", "rosterchange", "membership"):
            with django_assert_max_num_queries(20):
                assert as_manager.get(f"/admin/agents/{model}/").status_code == 200
        with django_assert_max_num_queries(45):
            assert as_manager.get("/admin/").status_code == 200
        with django_assert_max_num_queries(55):
            assert as_manager.get(f"/admin/agents/agent/{agents[7].pk}/change/").status_code == 200
            assert as_manager.get(f"/admin/agents/team/{teams[7].pk}/change/").status_code == 200
