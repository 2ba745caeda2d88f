"""A click is not a conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leads import actions
from leads.models import Decision, Lead
from leads.speed import clicks
from leads.speed.clicks import settle_clicks
from tests.leads.inbox_cast import act, client_of
from tests.leads.world import NOON, World, make_world, person

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
WHATSAPP = {"channel": "whatsapp"}


def clicked(world: World, **fields) -> Lead:
    return world.lead(world.send(**{**WHATSAPP, **fields}))


def fresh(lead: Lead) -> Lead:
    return Lead.objects.get(pk=lead.pk)


def kinds(lead: Lead) -> list[str]:
    return list(lead.events.order_by("pk").values_list("kind", flat=True))


class TestAClick:
    def test_is_a_lead_that_opened_an_app_until_somebody_confirms_it(self):
        world = make_world(person("ana"))
        lead, form = clicked(world), clicked(world, channel="form")

        assert (clicks.is_click(lead), clicks.is_click(form)) == (True, False)
        actions.confirm(lead=lead, at=NOON)

        assert not clicks.is_click(fresh(lead))

    @pytest.mark.parametrize("say", ["confirm", "respond", "won"])
    def test_that_is_confirmed_is_not_counted_apart(self, say):
        world = make_world(person("ana"), person("bo"))
        lead = clicked(world)
        if say == "won":
            actions.close(lead=lead, at=NOON, closed_as="won")
        else:
            getattr(actions, say)(lead=lead, at=NOON)

        assert settle_clicks(at=MIDNIGHT) == 0

        lead = fresh(lead)
        assert (lead.confirmed_at, lead.unconfirmed_at) == (NOON, None)
        assert [abs(credit) for credit in world.credits()] == [2**39, 2**39]

    def test_is_confirmed_once(self):
        world = make_world(person("ana"))
        lead = clicked(world)

        for minute in (1, 2):
            actions.confirm(lead=lead, at=NOON + timedelta(minutes=minute))

        assert fresh(lead).confirmed_at == NOON + timedelta(minutes=1)
        assert kinds(lead).count("confirmed") == 1
        assert fresh(lead).first_response_at is None


class TestTheButton:
    def test_is_there_for_a_click_until_it_is_pressed(self):
        world = make_world(person("ana"))
        lead = clicked(world)
        client = client_of(world, "ana")
        assert 'id="confirm"' in client.get(f"/inbox/leads/{lead.pk}/").text

        page = act(client, lead.pk, "confirm").text

        assert 'id="confirm"' not in page
        assert (fresh(lead).confirmed_at is None, fresh(lead).status) == (False, "open")


class TestTheEndOfTheDay:
    def test_counts_it_apart_and_gives_its_turn_back_once(self):
        world = make_world(person("ana"), person("bo"))
        lead = clicked(world)
        assert settle_clicks(at=MIDNIGHT - timedelta(seconds=1)) == 0

        assert settle_clicks(at=MIDNIGHT + timedelta(minutes=3)) == 1
        assert settle_clicks(at=MIDNIGHT + timedelta(minutes=4)) == 0
        actions.close(lead=lead, at=MIDNIGHT + timedelta(minutes=5), closed_as="no_conversation")

        lead = fresh(lead)
        assert lead.unconfirmed_at == MIDNIGHT
        assert world.credits() == [0, 0]
        assert kinds(lead) == ["received", "assigned", "unconfirmed", "given_back", "closed"]

    def test_leaves_it_open_and_it_may_be_confirmed_later(self):
        world = make_world(person("ana"))
        lead = clicked(world)
        settle_clicks(at=MIDNIGHT)
        assert fresh(lead).status == "open"

        actions.confirm(lead=lead, at=MIDNIGHT + timedelta(hours=9))

        assert fresh(lead).confirmed_at == MIDNIGHT + timedelta(hours=9)

    def test_is_by_the_clock_of_the_agent(self):
        world = make_world(person("ana", timezone="America/New_York"), timezone="Europe/Madrid")
        clicked(world)

        assert settle_clicks(at=MIDNIGHT + timedelta(hours=5) - timedelta(seconds=1)) == 0
        assert settle_clicks(at=MIDNIGHT + timedelta(hours=5)) == 1

    def test_is_of_the_day_on_which_the_last_agent_got_it(self):
        world = make_world(person("ana"), person("bo"))
        lead = clicked(world)
        actions.reassign(lead=lead, at=MIDNIGHT - timedelta(minutes=1))
        actions.reassign(lead=lead, at=MIDNIGHT + timedelta(minutes=1), to=world.agent("ana"))

        assert settle_clicks(at=MIDNIGHT + timedelta(hours=1)) == 0
        assert settle_clicks(at=MIDNIGHT + timedelta(days=1)) == 1

    def test_of_a_form_changes_nothing(self):
        world = make_world(person("ana"), person("bo"))
        lead = clicked(world, channel="form")

        assert settle_clicks(at=MIDNIGHT) == 0

        assert fresh(lead).unconfirmed_at is None

    def test_of_many_clicks_pays_no_more_than_one_lead_in_credit(self):
        """The others are recorded: nobody is flooded the next morning."""
        world = make_world(person("ana"), person("bo"))
        for _click in range(3):
            clicked(world)
        world.change("bo", is_paused=True)
        for _click in range(6):
            clicked(world)
        world.change("bo", is_paused=False)
        world.change("ana", is_paused=True)
        clicked(world)

        assert settle_clicks(at=MIDNIGHT) == 10

        assert max(world.credits()) <= 2**40
        given_back = Decision.objects.filter(moved_ledger=True).values_list("given_back", flat=True)
        assert set(given_back) <= {"paid", "recorded"}

    def test_that_fails_for_one_lead_settles_the_others(self, monkeypatch):
        world = make_world(person("ana"), person("bo"))
        broken, whole = clicked(world), clicked(world)
        real = clicks.give_back

        def explode(lead, *, at):
            if lead.pk == broken.pk:
                raise RuntimeError
            real(lead, at=at)

        monkeypatch.setattr(clicks, "give_back", explode)

        assert settle_clicks(at=MIDNIGHT) == 1

        assert (fresh(broken).unconfirmed_at, fresh(whole).unconfirmed_at) == (None, MIDNIGHT)
        assert fresh(broken).click_until == MIDNIGHT + timedelta(minutes=5)
