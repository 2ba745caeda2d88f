"""What the customer's servers ask by an API key."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from agents.models import Agent, Site
from leads.models import Assignment, Event, Lead
from routing.models import Ledger
from tests.widget.conftest import HOUSE, build
from tests.widget.test_api_doors import problem
from widget import geo
from widget.geo import Place

AGENT = {"slug": "marta", "name": "Marta Ruiz", "title": "", "photo_url": None}


@pytest.fixture
def somewhere(monkeypatch):
    places = {"203.0.113.9": Place("MX", "MX-CMX", "Mexico City")}
    monkeypatch.setattr(geo, "locate", lambda address: places.get(address, geo.UNKNOWN))


class TestHandingIn:
    def test_answers_with_rule_reason_and_slug(self, acme):
        response = acme.send("leads", {"channel": "whatsapp", "message": "Hola", "language": "es"})

        assert response.status_code == 201
        answer = response.json()
        assert answer["agent"] == AGENT
        assert (answer["outcome"], answer["rule"], answer["reason"]) == ("assigned", "Everybody", "round_robin")
        assert answer["channel"]["url"].startswith("https://wa.me/34600111222")
        assert answer.keys() == {
            "id", "outcome", "agent", "channel", "reference", "promise", "status_url", "rule", "reason"
        }  # fmt: skip

    def test_the_status_can_be_read_under_a_site_of_the_workspace(self, acme):
        url = acme.send("leads", {}).json()["status_url"]

        assert f"/widgets/{acme.site.key}/leads/" in url
        assert Client().get(url.removeprefix("http://127.0.0.1:8000")).status_code == 200

    def test_without_a_site_there_is_no_status_address(self, acme):
        Site.objects.update(is_active=False)

        assert acme.send("leads", {}).json()["status_url"] is None

    def test_the_whole_body_is_believed(self, acme, clock, somewhere):
        received_at = clock.at - timedelta(days=29)
        body = {"source": "phone", "country": "es", "region": "es-md", "city": "Madrid", "ip": "203.0.113.9",
                "attributes": {"vip": True, "seats": 12}, "received_at": received_at.isoformat()}  # fmt: skip

        assert acme.send("leads", body).status_code == 201

        lead = Lead.objects.get()
        assert (lead.source, lead.country, lead.region, lead.city) == ("phone", "ES", "ES-MD", "Madrid")
        assert lead.attributes == {"vip": True, "seats": 12}
        assert lead.received_at == received_at

    def test_routing_decides_now_whenever_it_was_received(self, acme, clock):
        sunday = clock.at - timedelta(days=1)

        answer = acme.send("leads", {"received_at": sunday.isoformat()}).json()

        assert answer["outcome"] == "assigned"
        assert Lead.objects.get().received_at == sunday

    def test_an_address_tells_the_place_where_no_country_is_named(self, acme, somewhere):
        acme.send("leads", {"ip": "203.0.113.9"})

        assert Lead.objects.get().region == "MX-CMX"

    def test_defaults(self, acme):
        acme.send("leads", {})

        lead = Lead.objects.get()
        assert (lead.source, lead.channel, lead.language) == ("api", "form", "es")

    def test_a_channel_that_no_site_offers_will_do(self, acme):
        assert acme.send("leads", {"channel": "telegram"}).status_code == 201

    def test_a_person_is_known_by_every_contact_and_joins(self, acme):
        first = acme.send("leads", {"email": "ana@example.com"})

        again = acme.send("leads", {"email": "ANA@example.com", "message": "Again"})

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["id"] == first.json()["id"]
        assert again.json()["reason"] == "joined"

    def test_bots_signs_mean_nothing_here(self, acme):
        assert acme.send("leads", {"hp": "filled", "ms": 1}).json()["outcome"] == "assigned"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"source": "widget"}, "source"),
            ({"source": None}, "source"),
            ({"channel": "pigeon"}, "channel"),
            ({"ip": "999.1.1.1"}, "ip"),
            ({"country": "Spain"}, "country"),
            ({"country": "UK"}, "country"),
            ({"region": "ES"}, "region"),
            ({"region": "QQ-1"}, "region"),
            ({"city": 28001}, "city"),
            ({"received_at": "2026-03-02"}, "received_at"),
            ({"received_at": "2026-03-02T10:00:00"}, "received_at"),
            ({"received_at": 1772445600}, "received_at"),
            ({"received_at": "2026-03-02T11:00:06Z"}, "received_at"),  # six seconds from now
            ({"received_at": "2026-01-31T10:59:59Z"}, "received_at"),  # 30 days and a second ago
            ({"received_at": "9999-12-31T23:59:59-23:59"}, "received_at"),
            ({"received_at": "0001-01-01T00:00:00+14:00"}, "received_at"),
            ({"email": "x"}, "email"),
        ],
    )
    def test_what_is_not_valid_is_400_at_the_field(self, acme, body, field):
        assert problem(acme.send("leads", body), 400)["errors"].keys() == {field}
        assert not Lead.objects.exists()

    def test_from_30_days_ago_until_now_is_valid(self, acme):
        assert acme.send("leads", {"received_at": "2026-01-31T11:00:00Z"}).status_code == 201
        assert acme.send("leads", {"received_at": "2026-03-02T12:00:00+01:00"}).status_code == 201

    def test_an_idempotency_key_belongs_to_its_api_key(self, acme):
        first = acme.send("leads", {"message": "a"}, idempotency_key="k1").json()

        assert acme.send("leads", {"message": "a"}, idempotency_key="k1").json() == first
        problem(acme.send("leads", {"message": "b"}, idempotency_key="k1"), 422)
        other = acme.send("leads", {"message": "b"}, idempotency_key="k1", key=acme.new_key("leads:write"))
        assert other.status_code == 201
        assert acme.write({"message": "c"}, idempotency_key="k1").status_code == 201

    def test_over_the_keys_limit_it_is_429(self, acme, settings):
        from config.environment import Rate

        settings.THROTTLE_API = (Rate(limit=2, seconds=60),)
        assert [acme.ask("leads").status_code for _ in range(2)] == [200, 200]

        response = acme.send("leads", {})

        problem(response, 429)
        assert 0 < int(response["Retry-After"]) <= 61
        assert acme.ask("leads", key=acme.new_key("leads:read")).status_code == 200
        assert not Lead.objects.exists()


class TestReading:
    def test_a_lead_as_it_came(self, acme):
        body = {"channel": "whatsapp", "message": "Hola", "name": "Ana", "email": "ana@example.com",
                "phone": "+34600999888", "visitor_id": "v1", "page_url": "https://www.example.com/pricing",
                "attributes": {"plan": "team"}, "consent": True, "language": "es-ES"}  # fmt: skip
        answer = acme.send("leads", body).json()

        lead = acme.ask(f"leads/{answer['id']}").json()

        assert {name: lead[name] for name in body} == body
        assert lead["id"] == answer["id"]
        assert lead["reference"] == answer["reference"]
        assert lead["agent"] == AGENT
        assert (lead["status"], lead["outcome"], lead["team"]) == ("open", "assigned", "iberia")
        assert lead["received_at"] == "2026-03-02T11:00:00Z"
        assert (lead["closed_at"], lead["first_response_at"], lead["flagged"]) == (None, None, None)

    def test_no_row_number_leaves_the_house(self, acme):
        answer = acme.send("leads", {"visitor_id": "v1"}).json()

        def numbers(value, path=""):
            if isinstance(value, dict):
                return [n for name, item in value.items() for n in numbers(item, f"{path}.{name}")]
            if isinstance(value, list):
                return [n for item in value for n in numbers(item, path)]
            return [path] if isinstance(value, int) and not isinstance(value, bool) else []

        lead = acme.ask(f"leads/{answer['id']}").json()
        assert set(numbers(lead)) <= {".score", ".joined_count"}
        assert numbers(answer) == []

    @pytest.mark.parametrize("lead_id", [uuid.UUID(int=7), "not-an-id", "1", "%00"])
    def test_what_does_not_exist_is_404(self, acme, lead_id):
        problem(acme.ask(f"leads/{lead_id}"), 404)


class TestDecisions:
    def test_says_why_the_lead_is_where_it_is(self, acme):
        answer = acme.send("leads", {"channel": "whatsapp", "country": "ES"}).json()

        response = acme.ask(f"leads/{answer['id']}/decision")

        assert response.status_code == 200
        decision = response.json()
        assert (decision["outcome"], decision["reason"], decision["rule"]) == ("assigned", "round_robin", "Everybody")
        assert decision["agent"] == {"slug": "marta", "name": "Marta Ruiz"}
        (asked,) = decision["rules"][0]["asked"]
        assert {one["agent"]: one["reason"] for one in asked["candidates"]} == {"marta": "chosen", "joao": "channel"}
        assert decision["turn"]["chosen"] == "marta"
        assert decision["facts"]["country"] == "ES"

    def test_of_what_a_person_decided_too(self, acme):
        lead_id = acme.send("leads", {}).json()["id"]
        acme.send(f"leads/{lead_id}/reassign", {"to": "joao", "reason": "Mine"})
        acme.send(f"leads/{lead_id}/reassign", {"to": "marta", "reason": "Hers"})

        decision = acme.ask(f"leads/{lead_id}/decision").json()

        assert (decision["rules"], decision["reason"], decision["agent"]["slug"]) == (None, "manual", "marta")

    def test_holds_no_handle(self, acme):
        lead_id = acme.send("leads", {"channel": "whatsapp"}).json()["id"]

        assert "600111222" not in acme.ask(f"leads/{lead_id}/decision").content.decode()


class TestListing:
    def leads_at(self, acme, clock, *hours):
        """One lead so many hours ago, each; returns their ids in the same order."""
        return [
            acme.send("leads", {"received_at": (clock.at - timedelta(hours=h)).isoformat()}).json()["id"] for h in hours
        ]

    def ids(self, response):
        assert response.status_code == 200
        return [lead["id"] for lead in response.json()["results"]]

    def test_is_newest_first(self, acme, clock):
        middle, newest, oldest = self.leads_at(acme, clock, 2, 1, 3)

        response = acme.ask("leads")

        assert self.ids(response) == [newest, middle, oldest]
        assert response.json()["next"] is None

    def test_is_50_a_page_and_misses_nobody(self, acme, clock, settings):
        same_instant = clock.at - timedelta(hours=1)
        Lead.objects.bulk_create(
            Lead(
                workspace=acme.workspace, source="api", channel="form", received_at=same_instant, created_at=clock.at,
                outcome="queued", reason="direct", reference=f"R{place}", status_token=f"token{place}",
            )
            for place in range(120)
        )  # fmt: skip

        first = acme.ask("leads").json()
        second = Client().get(first["next"].removeprefix(settings.PUBLIC_URL), headers=acme._bearer(None)).json()
        third = acme.ask("leads", cursor=second["next"]).json()  # the address whole will do, too

        pages = [first, second, third]
        assert [len(page["results"]) for page in pages] == [50, 50, 20]
        assert len({lead["id"] for page in pages for lead in page["results"]}) == 120
        assert third["next"] is None

    def test_a_new_lead_does_not_shift_the_pages(self, acme, clock):
        Lead.objects.bulk_create(
            Lead(
                workspace=acme.workspace, source="api", channel="form", received_at=clock.at - timedelta(hours=place),
                created_at=clock.at, outcome="queued", reason="direct", reference=f"R{place}", status_token=f"t{place}",
            )
            for place in range(1, 60)
        )  # fmt: skip
        first = acme.ask("leads").json()
        acme.send("leads", {})

        second = acme.ask("leads", cursor=first["next"]).json()

        assert len(second["results"]) == 9

    def test_by_status_agent_and_time(self, acme, clock):
        a, b, c = self.leads_at(acme, clock, 3, 2, 1)
        acme.send(f"leads/{b}/close", {"as": "won"})
        marta = Lead.objects.get(pk=a).agent.slug

        assert self.ids(acme.ask("leads", status="open")) == [c, a]
        assert self.ids(acme.ask("leads", status="closed")) == [b]
        assert self.ids(acme.ask("leads", status="answered")) == []
        assert a in self.ids(acme.ask("leads", agent=marta))
        assert b not in self.ids(acme.ask("leads", agent=marta))
        two_hours_ago = (clock.at - timedelta(hours=2)).isoformat()
        assert self.ids(acme.ask("leads", **{"from": two_hours_ago})) == [c, b]
        assert self.ids(acme.ask("leads", to=two_hours_ago)) == [a]

    def test_a_date_is_midnight_in_the_workspaces_zone(self, acme, clock):
        clock.at = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
        before, after = self.leads_at(acme, clock, 10, 9)  # 23:30 and 00:30 in Madrid

        assert self.ids(acme.ask("leads", **{"from": "2026-03-02"})) == [after]
        assert self.ids(acme.ask("leads", to="2026-03-02")) == [before]

    def test_a_plus_sign_that_nobody_encoded_is_still_one(self, acme, clock):
        self.leads_at(acme, clock, 1)

        response = Client().get("/api/v1/leads?from=2026-03-02T09:00:00+01:00", headers=acme._bearer(None))

        assert len(self.ids(response)) == 1

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"status": "new"}, "status"),
            ({"agent": "nobody"}, "agent"),
            ({"agent": "x" * 51}, "agent"),
            ({"from": "yesterday"}, "from"),
            ({"from": "2026-03-02T10:00:00"}, "from"),
            ({"to": "0001-01-01T00:00:00+14:00"}, "to"),
            ({"to": "9999-12-31"}, "to"),
            ({"cursor": "x"}, "cursor"),
            ({"cursor": "ы"}, "cursor"),
            (
                {"cursor": "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHw1YmQzYTljYS02YzBjLTRmNWMtOGY3Yi03ZDVmMGQ2YzFhMTE"},
                "cursor",
            ),
            ({"agent": "\x00"}, "agent"),
        ],
    )
    def test_what_is_not_valid_is_400_at_the_field(self, acme, query, field):
        assert problem(acme.ask("leads", **query), 400)["errors"].keys() == {field}

    def test_what_bots_sent_is_not_listed(self, acme):
        acme.write({"hp": "x"})

        assert acme.ask("leads").json()["results"] == []

    def test_costs_the_same_however_many_there_are(self, acme, clock, django_assert_num_queries, settings):
        settings.THROTTLE_API = None
        self.leads_at(acme, clock, 1, 2, 3)

        with django_assert_num_queries(2):  # the key's, and the page
            acme.ask("leads")


class TestResponses:
    def test_the_first_human_one_ends_the_wait(self, acme, clock):
        lead_id = acme.send("leads", {}).json()["id"]
        clock.at += timedelta(minutes=1)
        automatic = acme.send(f"leads/{lead_id}/responses", {"kind": "automatic"})
        clock.at += timedelta(minutes=1)

        human = acme.send(f"leads/{lead_id}/responses", {"kind": "human", "note": "Called"})
        acme.send(f"leads/{lead_id}/responses", {"kind": "human"})

        assert (automatic.status_code, automatic.json()["status"]) == (200, "open")
        assert automatic.json()["first_response_at"] is None
        assert human.status_code == 200
        assert human.json()["status"] == "answered"
        assert human.json()["first_response_at"] == "2026-03-02T11:02:00Z"

    def test_at_says_when_it_really_was(self, acme, clock):
        lead_id = acme.send("leads", {}).json()["id"]
        clock.at += timedelta(hours=1)

        lead = acme.send(f"leads/{lead_id}/responses", {"kind": "human", "at": "2026-03-02T12:05:00+01:00"}).json()

        assert lead["first_response_at"] == "2026-03-02T11:05:00Z"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "kind"),
            ({"kind": "robot"}, "kind"),
            ({"kind": "human", "at": "2026-03-02T10:59:59Z"}, "at"),  # before it was received
            ({"kind": "human", "at": "2026-03-02T12:00:00Z"}, "at"),
            ({"kind": "human", "note": "x" * 2_001}, "note"),
        ],
    )
    def test_what_is_not_valid_is_400_at_the_field(self, acme, body, field):
        lead_id = acme.send("leads", {}).json()["id"]

        assert problem(acme.send(f"leads/{lead_id}/responses", body), 400)["errors"].keys() == {field}

    def test_the_history_names_the_api_key(self, acme):
        lead_id = acme.send("leads", {}).json()["id"]
        acme.send(f"leads/{lead_id}/responses", {"kind": "human"})

        assert Event.objects.get(kind="responded").actor_text == "API key Server"


class TestReassigning:
    def test_to_somebody(self, acme):
        lead_id = acme.send("leads", {"channel": "form"}).json()["id"]
        turns = sum(Ledger.objects.values_list("turns", flat=True))

        response = acme.send(f"leads/{lead_id}/reassign", {"to": "joao", "reason": "Speaks Portuguese"})

        assert response.status_code == 200
        assert response.json()["agent"]["slug"] == "joao"
        assert Assignment.objects.filter(lead=lead_id).open().get().agent.slug == "joao"
        assert sum(Ledger.objects.values_list("turns", flat=True)) == turns

    def test_to_whoever_the_rules_choose_without_those_excluded(self, acme):
        lead_id = acme.send("leads", {"channel": "form"}).json()["id"]

        lead = acme.send(f"leads/{lead_id}/reassign", {"exclude": ["marta"], "reason": "On a call"}).json()

        assert lead["agent"] is None or lead["agent"]["slug"] == "joao"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"to": "joao"}, "reason"),
            ({"to": "joao", "reason": ""}, "reason"),
            ({"to": "nobody", "reason": "x"}, "to"),
            ({"exclude": ["marta", "nobody"], "reason": "x"}, "exclude"),
            ({"exclude": "marta", "reason": "x"}, "exclude"),
            ({"to": 7, "reason": "x"}, "to"),
        ],
    )
    def test_what_is_not_valid_is_400_at_the_field(self, acme, body, field):
        lead_id = acme.send("leads", {}).json()["id"]

        assert problem(acme.send(f"leads/{lead_id}/reassign", body), 400)["errors"].keys() == {field}

    def test_an_inactive_agent_is_refused(self, acme):
        lead_id = acme.send("leads", {"channel": "whatsapp"}).json()["id"]
        Agent.objects.filter(slug="joao").update(is_active=False)

        errors = problem(acme.send(f"leads/{lead_id}/reassign", {"to": "joao", "reason": "x"}), 400)["errors"]

        assert "inactive" in errors["to"][0]


class TestClosing:
    @pytest.mark.parametrize("closed_as", ["won", "lost", "spam", "duplicate", "no_conversation"])
    def test_closes_as(self, acme, closed_as):
        lead_id = acme.send("leads", {}).json()["id"]

        response = acme.send(f"leads/{lead_id}/close", {"as": closed_as})

        assert response.status_code == 200
        assert (response.json()["status"], response.json()["closed_as"]) == ("closed", closed_as)
        assert response.json()["closed_at"] == "2026-03-02T11:00:00Z"

    def test_twice_is_once(self, acme):
        lead_id = acme.send("leads", {}).json()["id"]

        answers = [acme.send(f"leads/{lead_id}/close", {"as": "spam"}) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()

    @pytest.mark.parametrize("body", [{}, {"as": "done"}, {"as": None}, {"as": ["won"]}])
    def test_what_is_not_valid_is_400_at_the_field(self, acme, body):
        lead_id = acme.send("leads", {}).json()["id"]

        assert problem(acme.send(f"leads/{lead_id}/close", body), 400)["errors"].keys() == {"as"}
        assert Lead.objects.get().status == "open"


class TestTwoWorkspaces:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("get", "", None),
            ("get", "/decision", None),
            ("post", "/responses", {"kind": "human"}),
            ("post", "/reassign", {"to": "marta", "reason": "mine now"}),
            ("post", "/close", {"as": "spam"}),
        ],
    )
    def test_anothers_lead_is_no_lead(self, acme, rival, method, path, body):
        lead_id = acme.send("leads", {"message": "secret"}).json()["id"]
        before = Lead.objects.values().get()

        theirs = f"leads/{lead_id}{path}"
        response = rival.ask(theirs) if method == "get" else rival.send(theirs, body)

        assert "secret" not in response.content.decode()
        problem(response, 404)
        assert Lead.objects.values().get() == before

    def test_anothers_leads_are_not_listed(self, acme, rival):
        acme.send("leads", {})

        assert rival.ask("leads").json() == {"results": [], "next": None}

    def test_anothers_agent_is_nobody(self, acme, db, clock):
        build("other", HOUSE.replace("joao", "zoe"))
        lead_id = acme.send("leads", {}).json()["id"]

        problem(acme.send(f"leads/{lead_id}/reassign", {"to": "zoe", "reason": "x"}), 400)
        problem(acme.ask("leads", agent="zoe"), 400)

    def test_anothers_cursor_opens_nothing(self, acme, rival, clock):
        Lead.objects.bulk_create(
            Lead(
                workspace=acme.workspace, source="api", channel="form", received_at=clock.at, created_at=clock.at,
                outcome="queued", reason="direct", reference=f"R{place}", status_token=f"t{place}",
            )
            for place in range(51)
        )  # fmt: skip

        assert rival.ask("leads", cursor=acme.ask("leads").json()["next"]).json()["results"] == []
