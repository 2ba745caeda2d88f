"""Reading leads."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads import actions, selectors
from tests.leads.world import NOON, make_world, person

pytestmark = pytest.mark.django_db


def test_a_list_is_newest_first_and_goes_on_where_the_page_ended(monkeypatch):
    monkeypatch.setattr(selectors, "PAGE", 3)
    world = make_world(person("ana"))
    # Several at one instant: the cursor must not skip any.
    sent = [world.send(received_at=NOON - timedelta(hours=number // 4)).lead_id for number in range(8)]

    found, cursor = [], None
    while True:
        page = selectors.list_leads(workspace=world.workspace, cursor=cursor)
        found.append([lead.pk for lead in page.leads])
        cursor = page.next
        if cursor is None:
            break

    assert [len(page) for page in found] == [3, 3, 2]
    flat = [pk for page in found for pk in page]
    assert set(flat[:4]) == set(sent[:4])
    assert set(flat[4:]) == set(sent[4:])


def test_a_list_is_narrowed_by_status_agent_and_time_and_shows_no_bots():
    world = make_world(person("ana"), person("bo"))
    first, second = world.send(), world.send(received_at=NOON - timedelta(days=1))
    world.send(trusted=False, bot=True)
    actions.close(lead=world.lead(second), at=NOON, closed_as="won")

    def listed(**narrowed):
        page = selectors.list_leads(workspace=world.workspace, **narrowed)
        return {lead.pk for lead in page.leads}

    assert listed() == {first.lead_id, second.lead_id}
    assert listed(status="open") == {first.lead_id}
    assert listed(agent=world.agent("bo")) == {second.lead_id}
    assert listed(received_from=NOON) == {first.lead_id}
    assert listed(received_until=NOON) == {second.lead_id}


@pytest.mark.parametrize("cursor", ["", "x", "====", "MjAyNi0wMS0wMXxub25l", "é", "A" * 500])
def test_a_cursor_that_is_none_is_refused(cursor):
    world = make_world(person("ana"))

    with pytest.raises(selectors.BadCursor):
        selectors.list_leads(workspace=world.workspace, cursor=cursor)


def test_nobody_finds_the_lead_of_another_workspace():
    acme, rival = make_world(person("ana")), make_world(person("ana"), slug="rival")
    accepted = acme.send()

    assert selectors.find_lead(workspace=acme.workspace, lead_id=accepted.lead_id)
    assert selectors.find_lead(workspace=rival.workspace, lead_id=accepted.lead_id) is None
    assert selectors.lead_of_token(workspace=rival.workspace, token=accepted.status_token, at=NOON) is None
    assert selectors.find_lead(workspace=acme.workspace, lead_id="no uuid") is None


def test_a_status_token_opens_its_lead_for_seven_days():
    world = make_world(person("ana"))
    accepted = world.send(received_at=NOON - timedelta(days=20))

    def opened(days):
        return selectors.lead_of_token(
            workspace=world.workspace, token=accepted.status_token, at=NOON + timedelta(days=days)
        )

    assert opened(6).pk == accepted.lead_id
    assert opened(7) is None


def test_a_timeline_tells_what_happened_in_order():
    world = make_world(person("ana"))
    lead = world.lead(world.send())
    actions.respond(lead=lead, at=NOON + timedelta(minutes=1))
    actions.close(lead=lead, at=NOON + timedelta(minutes=2), closed_as="won")

    assert [event.kind for event in selectors.timeline(lead)] == ["received", "assigned", "responded", "closed"]
