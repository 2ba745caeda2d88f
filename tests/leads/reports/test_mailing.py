"""Reports by mail: when they are due, what is in them, and who is sent none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from agents.models import Membership, User
from leads import outbox
from leads.models import Outbox, ReportMail
from leads.reports import mailing
from tests.leads.inbox_cast import client_of
from tests.leads.reports.cast import busy_world, reader, sheet
from tests.leads.world import NOON, make_world, person

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
TOMORROW = NOON + 20 * HOUR  # 08:00


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON + 3 * HOUR)


def ask(client, **given):
    wanted = {"report": "speed", "query": "period=yesterday", "every": "day", "hour": "8", **given}
    return client.post("/reports/mails/", wanted, follow=True)


def sweep(at: datetime) -> list:
    mailing.send_due(at=at)
    outbox.drain(at=at)
    return mail.outbox


class TestWhatIsSent:
    def test_figures_in_the_mail_and_all_of_them_in_the_file_as_the_page_has_them(self):
        world = busy_world()
        client = reader(world)

        assert "You will be sent this report, to ops@acme.test." in ask(client).text
        assert sweep(TOMORROW - HOUR) == []
        (sent,) = sweep(TOMORROW)
        assert len(sweep(TOMORROW + HOUR)) == 1

        assert (sent.to, sent.subject) == (["ops@acme.test"], "Speed to lead, 2026-03-02: Acme")
        assert "Median: 6 min" in sent.body
        (html, kind), (name, content, csv_kind) = sent.alternatives[0], sent.attachments[0]
        assert (kind, csv_kind, name) == ("text/html", "text/csv", "speed-2026-03-02-2026-03-02.csv")
        assert "6 min" in html
        page = sheet(client.get("/reports/?from=2026-03-02&to=2026-03-02&format=csv").content)
        written = sheet(content.encode())
        assert written[3:] == page[3:]  # but for the instant that it is as of
        assert "http://127.0.0.1:8000/reports/?period=custom&amp;from=2026-03-02" in html.replace(
            "localhost", "127.0.0.1"
        )

    def test_what_has_no_period_is_of_the_day_and_leads_to_what_was_asked_for(self):
        client = reader(busy_world())

        page = ask(client, report="coverage", query="by=language&of=en&period=30d").text
        (sent,) = sweep(TOMORROW)

        assert "The day it is sent" in page
        assert "Last 30 days" not in page
        assert sent.subject == "Coverage, 2026-03-03: Acme"
        assert "by=language&of=en" in sent.body
        name, content, _kind = sent.attachments[0]
        assert name == "coverage-2026-03-03.csv"
        assert sheet(content.encode())[1] == ["Day", "2026-03-03", "UTC"]
        page = client.get("/reports/coverage/?format=csv")
        assert page["Content-Disposition"] == 'attachment; filename="coverage-2026-03-02.csv"'

    def test_an_agent_is_sent_their_own(self):
        world = busy_world()
        ask(client_of(world, "ana"), query=f"period=yesterday&agent={world.agent('bo').pk}")

        (sent,) = sweep(TOMORROW)

        assert "Leads: 4" in sent.body
        assert "=Bo" not in sent.attachments[0][1]

    def test_nobody_is_sent_what_they_may_not_see_any_more(self):
        world = busy_world()
        ask(reader(world))
        Membership.objects.all().delete()

        assert sweep(TOMORROW) == []
        assert "Nobody may be sent" in Outbox.objects.get(kind="report").last_error

    def test_a_mail_that_could_not_leave_is_tried_again_and_sent_once(self, monkeypatch):
        ask(reader(busy_world()))
        with monkeypatch.context() as broken:
            broken.setattr(
                "django.core.mail.EmailMultiAlternatives.send", lambda self: (_ for _ in ()).throw(OSError())
            )
            assert sweep(TOMORROW) == []

        assert len(sweep(TOMORROW + HOUR)) == 1
        assert len(sweep(TOMORROW + 2 * HOUR)) == 1

    def test_one_that_cannot_be_made_keeps_no_other_from_being_sent(self, monkeypatch, caplog):
        world = busy_world()
        ask(reader(world), report="sla")
        ask(reader(world, "owner"), report="speed")
        monkeypatch.setattr("leads.reports.sla.build", lambda *given, **more: 1 / 0)

        assert [sent.to for sent in sweep(TOMORROW)] == [["owner@acme.test"]]
        assert "failed" in caplog.text

    def test_asked_for_now_it_goes_now(self):
        client = reader(busy_world())
        ask(client)
        client.post(f"/reports/mails/{ReportMail.objects.get().pk}/", {"do": "send"})

        assert len(sweep(NOON + 4 * HOUR)) == 1
        client.post(f"/reports/mails/{ReportMail.objects.get().pk}/", {"do": "stop"})
        assert not ReportMail.objects.exists()


class TestWhen:
    @pytest.mark.parametrize(
        ("every", "zone", "due"),
        [
            ("day", "UTC", datetime(2026, 3, 28, 8, tzinfo=UTC)),
            ("day", "Europe/Madrid", datetime(2026, 3, 28, 7, tzinfo=UTC)),
            ("week", "Europe/Madrid", datetime(2026, 3, 30, 6, tzinfo=UTC)),  # the clocks changed in between
            ("month", "Asia/Tokyo", datetime(2026, 3, 31, 23, tzinfo=UTC)),
        ],
    )
    def test_it_is_that_hour_on_the_clock_of_the_zone(self, every, zone, due):
        at = datetime(2026, 3, 27, 12, tzinfo=UTC)

        assert mailing.next_after(at, every=every, hour=8, zone=zone) == due
        assert mailing.next_after(due, every=every, hour=8, zone=zone) > due


class TestAsking:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"query": "from=2026-03-01&to=2026-03-02"}, "Choose a period that moves"),
            ({"report": "horoscope"}, "Choose a report"),
            ({"every": "minute"}, "Choose a report"),
            ({"hour": "24"}, "Choose a report"),
            ({"query": "period=ages"}, "is no period"),
        ],
    )
    def test_what_cannot_be_sent_is_refused_with_a_sentence(self, given, said):
        response = ask(reader(busy_world()), **given)

        assert response.status_code == 400
        assert said in response.text
        assert not ReportMail.objects.exists()

    def test_agents_cannot_ask_for_what_is_about_everybody(self):
        response = ask(client_of(busy_world(), "ana"), report="coverage", query="")

        assert "This report is not for you" in response.text

    def test_nobody_changes_the_mails_of_others(self):
        world = busy_world()
        ask(reader(world))
        pk = ReportMail.objects.get().pk

        assert reader(world, "owner").post(f"/reports/mails/{pk}/", {"do": "stop"}).status_code == 404
        assert reader(make_world(person("cy"), slug="other")).post(f"/reports/mails/{pk}/").status_code == 404
        assert User.objects.count() == 3
        assert ReportMail.objects.exists()
