"""How agents choose to be told: what their page does, and what the outbox makes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from leads import outbox
from leads.inbox.telling import TOLD_OF
from leads.models import NotificationWay, Outbox, QuietHours
from leads.notifications.outcomes import Dead, Retry
from leads.notifying.ways import MOST
from tests.leads.inbox_cast import client_of, said
from tests.leads.test_outbox import carrier, configured, tell, way  # noqa: F401 - fixtures
from tests.leads.world import NIGHT, NOON, make_world, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("configured")]

PAGE = "/inbox/ways/"


@pytest.fixture
def world():
    return make_world(person("ana", email="ana@acme.test"), person("bo"))


@pytest.fixture
def ana(world):
    return client_of(world, "ana")


def press(client, address, **sent):
    return client.post(f"{PAGE}{address}", sent, follow=True)


def order(world, slug="ana"):
    rows = NotificationWay.objects.filter(agent=world.agent(slug)).order_by("position", "pk")
    return [row.transport for row in rows]


class TestThePage:
    def test_says_what_holds_where_nothing_was_chosen_and_stores_nothing(self, ana):
        page = ana.get(PAGE)

        assert "a…@acme.test" in page.text
        assert not NotificationWay.objects.exists()

    def test_says_where_nobody_can_be_told_at_all(self, world):
        assert "Nobody can tell you anything yet" in client_of(world, "bo").get(PAGE).text

    def test_shows_no_address(self, world, ana):
        way(world, "ana", "slack")
        way(world, "ana", "telegram")

        assert "secret" not in ana.get(PAGE).text
        assert "4711" not in ana.get(PAGE).text

    def test_takes_a_fixed_number_of_statements(self, world, ana, django_assert_num_queries):
        for count in (1, 3):
            for _ in range(count):
                way(world, "ana", "telegram", trial_row=1)
            # Login and agent, then ways, trials and quiet hours.
            with django_assert_num_queries(6):
                ana.get(PAGE)


class TestAWay:
    def test_that_is_added_comes_before_mail_and_not_instead(self, world, ana):
        assert said(press(ana, "add/telegram/", to="4711")) == "Added. It is tried before your other ways."

        assert order(world) == ["telegram", "email"]

    @pytest.mark.parametrize(
        ("transport", "to", "sentence"),
        [
            ("email", "nobody", "Write one e-mail address"),
            ("telegram", "@ana", "is a number"),
            ("slack", "http://10.0.0.1/hook", "Slack"),
            ("webhook", "https://127.0.0.1/", ""),
        ],
    )
    def test_that_leads_nowhere_is_refused_and_what_was_typed_stays(self, ana, transport, to, sentence):
        page = press(ana, f"add/{transport}/", to=to)

        assert page.status_code == 400
        assert 'role="alert"' in page.text
        assert sentence in page.text
        assert f'value="{to}"' in page.text
        assert not NotificationWay.objects.exists()

    @pytest.mark.parametrize("transport", ["whatsapp", "web_push", "pigeon"])
    def test_that_is_not_set_up_or_not_typed_is_not_there(self, ana, transport):
        assert press(ana, f"add/{transport}/", to="+34600111222").status_code == 404

    def test_to_ones_own_server_shows_its_secret_once(self, ana):
        page = press(ana, "add/webhook/", to="https://hooks.example.com/me")

        secret = NotificationWay.objects.get(transport="webhook").address["secret"]
        assert secret in page.text
        assert "no-store" in page["Cache-Control"]
        assert secret not in ana.get(PAGE).text

    def test_gets_another_address_or_keeps_the_one_it_has(self, world, ana):
        mine = way(world, "ana", "telegram", last_error="Telegram: chat not found", is_active=False)
        press(ana, f"{mine.pk}/", to="")
        mine.refresh_from_db()
        assert mine.address == {"chat_id": "4711"}

        press(ana, f"{mine.pk}/", to="815")

        mine.refresh_from_db()
        assert (mine.address, mine.is_active, mine.last_error) == ({"chat_id": "815"}, True, "")

    def test_moves_up_and_down(self, world, ana):
        for place, transport in enumerate(("email", "telegram", "slack")):
            way(world, "ana", transport, place)
        slack = NotificationWay.objects.get(transport="slack")

        press(ana, f"{slack.pk}/up/")
        press(ana, f"{slack.pk}/up/")
        press(ana, f"{slack.pk}/up/")
        assert order(world) == ["slack", "email", "telegram"]

        press(ana, f"{slack.pk}/down/")
        assert order(world) == ["email", "slack", "telegram"]

    def test_is_switched_off_and_on_and_removed(self, world, ana):
        mine = way(world, "ana", "telegram")
        for act, is_active in (("off", False), ("on", True)):
            press(ana, f"{mine.pk}/{act}/")
            mine.refresh_from_db()
            assert mine.is_active is is_active

        press(ana, f"{mine.pk}/remove/")

        assert not NotificationWay.objects.exists()

    def test_of_somebody_else_is_not_there(self, world, ana):
        hers = way(world, "bo", "telegram")

        assert ana.get(f"{PAGE}{hers.pk}/").status_code == 404
        for act in ("", "off/", "remove/", "try/", "up/"):
            assert press(ana, f"{hers.pk}/{act}", to="815").status_code == 404
        hers.refresh_from_db()
        assert (hers.address, hers.is_active) == ({"chat_id": "4711"}, True)

    def test_has_its_limit_in_number(self, world, ana):
        NotificationWay.objects.bulk_create(
            NotificationWay(
                workspace=world.workspace, agent=world.agent("ana"), transport="telegram", address={"chat_id": "1"}
            )
            for _ in range(MOST)
        )

        assert "remove one first" in press(ana, "add/telegram/", to="4711").text


class TestTheOrderForOneKindOfMessage:
    @pytest.fixture
    def both(self, world):
        return way(world, "ana", "email", 1), way(world, "ana", "telegram", 2)

    def test_is_its_own_and_leaves_the_others_alone(self, world, ana, both, carrier):  # noqa: F811
        email, telegram = both
        press(ana, "of/page/", **{f"way-{telegram.pk}": "1", f"way-{email.pk}": "2"})
        lead = world.lead(world.send())
        tell(world, "page", agent=world.agent("ana").pk, lead=str(lead.pk))

        outbox.drain(at=NOON)

        told = {message.kind: transport for transport, message, _address in carrier.sent}
        assert told == {"assigned": "email", "page": "telegram"}

    def test_follows_the_common_one_where_it_is_the_same(self, ana, both):
        email, telegram = both
        press(ana, "of/page/", **{f"way-{telegram.pk}": "1", f"way-{email.pk}": "2"})

        press(ana, "of/page/", **{f"way-{telegram.pk}": "2", f"way-{email.pk}": "1"})

        assert [row.places for row in NotificationWay.objects.all()] == [{}, {}]

    def test_may_be_none_at_all_and_says_so(self, ana, both):
        page = press(ana, "of/offer/", **{f"way-{row.pk}": "0" for row in both})

        assert "You are not told of this any more" in page.text
        assert "not told" in page.text
        assert all(row.muted == ["offer"] for row in NotificationWay.objects.all())

    def test_is_kept_by_whoever_had_chosen_nothing_before(self, ana):
        press(ana, "of/reminder/", **{"way-None": "0"})

        assert NotificationWay.objects.get().muted == ["reminder"]

    def test_shows_what_holds(self, ana, both):
        for kind in TOLD_OF:
            assert ana.get(f"{PAGE}of/{kind}/").text.count("selected") == 2
        assert ana.get(f"{PAGE}of/escalation/").status_code == 404  # for managers


class TestATrial:
    def test_goes_one_way_once_whatever_the_hour(self, world, ana, carrier):  # noqa: F811
        way(world, "ana", "email", 1)
        mine = way(world, "ana", "telegram", 2, muted=["assigned"])
        QuietHours.objects.create(workspace=world.workspace, agent=world.agent("ana"), start_minute=0, end_minute=1439)

        page = press(ana, f"{mine.pk}/try/")
        assert "A trial is on its way …" in page.text
        assert 'hx-trigger="every 2s"' in page.text
        outbox.drain(at=timezone.now())

        assert carrier.ways == ["telegram"]
        news = ana.get(f"{PAGE}news/").text
        assert "A trial was sent at" in news
        assert "every 2s" not in news

    def test_of_the_mail_that_holds_by_default_reaches_it(self, ana):
        press(ana, "try/")

        outbox.drain(at=timezone.now())

        assert [(each.to, each.subject) for each in mail.outbox] == [
            (["ana@acme.test"], "A trial: this is how you are told")
        ]

    @pytest.mark.parametrize("outcome", [Dead("Nobody there"), Retry("Nobody there")])
    def test_that_fails_says_why_and_is_not_repeated(self, world, ana, carrier, outcome):  # noqa: F811
        mine = way(world, "ana", "telegram")
        way(world, "ana", "email", 2)
        carrier.outcomes["telegram"] = outcome
        press(ana, f"{mine.pk}/try/")

        outbox.drain(at=timezone.now())
        outbox.drain(at=timezone.now() + timedelta(days=1))

        assert carrier.ways == ["telegram"]
        assert "The trial did not work: Nobody there" in ana.get(PAGE).text

    def test_waits_for_the_one_before(self, world, ana):
        mine = way(world, "ana", "telegram")
        press(ana, f"{mine.pk}/try/")

        assert "A trial is on its way" in said(press(ana, f"{mine.pk}/try/"))
        assert Outbox.objects.count() == 1


class TestQuietHours:
    def test_are_kept_and_taken_back(self, world, ana):
        press(ana, "quiet/", start="22:00", end="07:30")
        assert str(QuietHours.objects.get(agent=world.agent("ana"))) == "22:00–07:30"
        assert 'value="07:30"' in ana.get(PAGE).text

        press(ana, "quiet/", none="1")
        assert not QuietHours.objects.exists()

    @pytest.mark.parametrize(("start", "end"), [("22:00", ""), ("late", "07:00"), ("08:00", "08:00")])
    def test_that_are_none_are_refused_and_what_was_typed_stays(self, ana, start, end):
        page = press(ana, "quiet/", start=start, end=end)

        assert page.status_code == 400
        assert 'class="refused"' in page.text
        assert f'value="{start}"' in page.text
        assert not QuietHours.objects.exists()

    def test_hold_back_what_makes_a_sound(self, world, ana, carrier):  # noqa: F811
        way(world, "ana", "telegram")
        press(ana, "quiet/", start="22:00", end="08:00")
        world.send(at=NIGHT)

        outbox.drain(at=NIGHT)

        assert carrier.sent == []
