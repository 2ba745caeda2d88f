"""The demo workspace: whoever opens the demo page, at whatever minute, gets somebody who speaks their language."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.models import Agent, Handle, Team, Workspace
from routing import snapshots, workspace_file
from routing.engine import Outcome, Request, decide
from routing.engine.hours import Kind, on_shift
from routing.facts import build_facts
from routing.publishing import published_version
from widget.demo.texts import LANGUAGES
from widget.demo.workspace import FILE

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTES_A_WEEK = 10_080
# The clocks change in Europe on the Sunday of the first; the second is full of holidays, and Grace is away.
ODD_WEEKS = [datetime(2026, 3, 23, tzinfo=UTC), datetime(2026, 12, 21, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC)]


@pytest.fixture
def demo():
    return workspace_file.load(FILE.read_bytes(), by=None, at=MONDAY).workspace


@pytest.fixture
def snapshot(demo):
    demo.refresh_from_db()
    return snapshots.snapshot(
        workspace_id=demo.pk, policy_version=demo.policy_version, roster_version=demo.roster_version
    )


def lead(language, snapshot, **values):
    values = {"channel": "whatsapp", "source": "widget", "page_url": "http://127.0.0.1:8000/demo/", **values}
    return Request(build_facts(**values, language=language, needed=snapshot.policy.fields))


def minutes(start, step=1):
    return (start + timedelta(minutes=minute) for minute in range(0, MINUTES_A_WEEK, step))


def speakers(language):
    """Ids of the agents who speak it and have WhatsApp."""
    with_whatsapp = set(Handle.objects.filter(channel="whatsapp").values_list("agent_id", flat=True))
    return {
        agent.pk
        for agent in Agent.objects.filter(pk__in=with_whatsapp)
        if language in {tag.split("-")[0] for tag in agent.languages}
    }


def wrongly_routed(language, snapshot, instants, **values):
    """The decisions that do not give the lead to somebody who speaks the language, by WhatsApp."""
    request, able = lead(language, snapshot, **values), speakers(language)
    for at in instants:
        decision = decide(request, snapshot, {}, {}, at)
        if decision.outcome is not Outcome.ASSIGNED or decision.agent not in able or decision.channel != "whatsapp":
            yield at, decision


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_every_minute_of_the_week_somebody_who_speaks_it_is_there(language, snapshot):
    schedules = [snapshot.roster.schedule(agent) for agent in speakers(language)]

    empty = [
        at
        for at in minutes(MONDAY)
        if not any(on_shift(schedule, at=at, kind=kind) for schedule in schedules for kind in Kind)
    ]

    assert empty == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_every_minute_of_the_week_somebody_who_speaks_it_gets_the_lead(language, snapshot):
    assert list(wrongly_routed(language, snapshot, minutes(MONDAY))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_neither_clock_changes_nor_holidays_leave_anybody_alone(language, snapshot):
    instants = [at for monday in ODD_WEEKS for at in minutes(monday, step=30)]

    assert list(wrongly_routed(language, snapshot, instants)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_wherever_the_visitor_is_and_whatever_they_read_they_are_understood(language, snapshot):
    company = {"customer_type": "company", "roof_area": "900"}
    for country in ("ES", "MX", "DE", "NO", "US", "JP"):
        for page in ("http://127.0.0.1:8000/demo/", "http://127.0.0.1:8000/demo/pricing/"):
            values = {"country": country, "page_url": page, "attributes": company}
            assert list(wrongly_routed(language, snapshot, minutes(MONDAY, step=180), **values)) == []


def test_no_rule_holds_what_is_not_a_form(demo):
    holding = [rule for rule in published_version(demo).document["rules"] if rule["route"].get("if_nobody") == "hold"]

    assert holding
    for rule in holding:
        assert {"field": "channel", "op": "is", "value": "form"} in rule["when"]["all"]


def test_shows_what_the_product_can_do(demo):
    document = published_version(demo).document
    text = FILE.read_text()

    assert len(document["rules"]) >= 8
    assert Team.objects.count() >= 4
    assert 8 <= Agent.objects.count() <= 12
    assert {rule["route"].get("by") for rule in document["rules"]} >= {"round_robin", "priority", "least_busy", "claim"}
    for feature in ("country", "language", "intent", "in_hours", "weekday", "local_time", "territory", "to: queue"):
        assert feature in text


def test_every_agent_has_whatsapp(demo):
    assert Handle.objects.filter(channel="whatsapp").count() == Agent.objects.count()


def test_a_cold_form_goes_to_the_nurture_queue(snapshot):
    decision = decide(lead("en", snapshot, channel="form"), snapshot, {}, {}, MONDAY)

    assert decision.outcome is Outcome.QUEUED


def test_somebody_with_a_large_roof_meets_who_is_there_for_those(snapshot):
    noon = MONDAY + timedelta(hours=12)

    decision = decide(lead("de", snapshot, message="Wir haben 800 m² Dach", country="DE"), snapshot, {}, {}, noon)

    assert decision.rule == "Hot leads go to the people for large roofs"
    assert Agent.objects.get(pk=decision.agent).slug == "jonas"


def test_the_file_is_what_a_dump_says(demo):
    again = workspace_file.load(workspace_file.dump(Workspace.objects.get(slug="demo")).encode(), by=None, at=MONDAY)

    assert again.changes == []
