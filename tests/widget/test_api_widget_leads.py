"""POST widgets/KEY/leads, and reading how the lead stands."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Team
from leads.models import Assignment, Lead
from routing.models import Ledger
from tests.widget.conftest import HOUSE, ORIGIN, build
from tests.widget.test_api_doors import problem
from widget import geo, submissions
from widget.geo import Place


@pytest.fixture
def somewhere(monkeypatch):
    """Addresses of the documentation ranges lie where a test says; others nowhere."""
    places = {"203.0.113.9": Place("MX", "MX-CMX", "Mexico City"), "198.51.100.7": Place("US", "US-CA", None)}
    monkeypatch.setattr(geo, "locate", lambda address: places.get(address, geo.UNKNOWN))


class TestTheAnswer:
    def test_brings_agent_link_and_promise(self, acme):
        response = acme.write({"channel": "whatsapp", "language": "es-MX", "message": "Hola", "name": "Ana"})

        assert response.status_code == 201
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        answer = response.json()
        lead = Lead.objects.get()
        assert answer["id"] == str(lead.pk)
        assert answer["outcome"] == "assigned"
        assert answer["agent"] == {"name": "Marta Ruiz", "title": "", "photo_url": None}
        assert answer["channel"]["id"] == "whatsapp"
        assert answer["channel"]["url"].startswith("https://wa.me/34600111222")
        assert answer["channel"]["display"] == "+34 600 11 12 22"
        assert answer["reference"] == lead.reference
        assert answer["promise"].keys() == {"kind", "at", "text"}
        assert answer.keys() == {"id", "outcome", "agent", "channel", "reference", "promise", "status_url"}

    def test_no_channel_means_the_form_which_opens_nothing(self, acme):
        answer = acme.write({"message": "Hola"}).json()

        assert Lead.objects.get().channel == "form"
        assert answer["channel"] is None or answer["channel"]["url"] is None
        assert answer["agent"] is not None

    def test_the_form_is_always_allowed(self, acme):
        assert acme.write({"channel": "form"}).status_code == 201

    def test_an_empty_body_is_a_lead_from_the_form(self, acme):
        assert acme.write(raw=b"").status_code == 201

    def test_ids_and_tokens_are_random(self, acme):
        answers = [acme.write({"visitor_id": str(number)}).json() for number in range(3)]

        ids = [uuid.UUID(answer["id"]) for answer in answers]
        tokens = [answer["status_url"].rsplit("/", 1)[1] for answer in answers]
        assert all(found.version == 4 for found in ids)
        assert len(set(tokens)) == 3
        assert all(len(token) >= 22 for token in tokens)  # 128 bits in base64

    def test_out_of_hours_it_promises_the_opening(self, acme, clock):
        clock.at += timedelta(hours=12)

        answer = acme.write({"message": "Hola"}).json()

        assert (answer["outcome"], answer["agent"], answer["channel"]) == ("held", None, None)
        assert answer["promise"]["at"] == "2026-03-03T08:00:00Z"


class TestWhatIsChecked:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"channel": "telegram"}, "channel"),
            ({"channel": "Whatsapp"}, "channel"),
            ({"channel": 7}, "channel"),
            ({"visitor_id": "x" * 129}, "visitor_id"),
            ({"visitor_id": ["x"]}, "visitor_id"),
            ({"language": "spanish!"}, "language"),
            ({"language": "xx-YY"}, "language"),
            ({"page_url": "x" * 8001}, "page_url"),
            ({"referrer": {"a": 1}}, "referrer"),
            ({"message": "x" * 20_001}, "message"),
            ({"message": True}, "message"),
            ({"name": "x" * 201}, "name"),
            ({"email": "ana at example.com"}, "email"),
            ({"email": "ana@example.com, bo@example.com"}, "email"),
            ({"phone": "call me"}, "phone"),
            ({"phone": 34600111222}, "phone"),
            ({"attributes": ["plan"]}, "attributes"),
            ({"attributes": {"x" * 65: 1}}, "attributes"),
            ({"attributes": {str(n): n for n in range(51)}}, "attributes"),
            ({"ms": "5000"}, "ms"),
            ({"ms": True}, "ms"),
        ],
    )
    def test_what_is_not_valid_is_400_at_the_field_and_nothing_is_written(self, acme, body, field):
        body = problem(acme.write(body), 400)

        assert body["errors"].keys() == {field}
        assert all(isinstance(message, str) and message for message in body["errors"][field])
        assert not Lead.objects.exists()

    def test_the_channels_that_there_are_are_named(self, acme):
        errors = problem(acme.write({"channel": "telegram"}), 400)["errors"]

        assert errors == {"channel": ["This site does not offer “telegram”. Choose one of: whatsapp, email, form."]}

    @pytest.mark.parametrize("raw", [b"[]", b'"lead"', b"7", b"null", b"{", b'{"message": "\\u0000"}', b'{"a": NaN}'])
    def test_what_is_no_object_is_400(self, acme, raw):
        problem(acme.write(raw=raw), 400)
        assert not Lead.objects.exists()

    @pytest.mark.parametrize("absent", [None, "", "  "])
    def test_null_and_blank_mean_absent(self, acme, absent):
        names = ["channel", "visitor_id", "language", "page_url", "referrer", "message", "name", "email", "phone", "hp"]

        assert acme.write(dict.fromkeys(names, absent) | {"attributes": None, "ms": None}).status_code == 201

    def test_fields_that_nobody_knows_are_ignored(self, acme):
        assert acme.write({"colour": {"a": {"b": {"c": {}}}}, "id": 7, "workspace": "rival"}).status_code == 201


class TestWhatAVisitorMayNotSay:
    def test_what_only_a_server_may_say_is_ignored(self, acme, somewhere, clock):
        lies = {"ip": "198.51.100.7", "country": "US", "region": "US-CA", "city": "LA", "source": "phone",
                "received_at": "2020-01-01T00:00:00Z"}  # fmt: skip

        assert acme.write(lies, address="203.0.113.9").status_code == 201

        lead = Lead.objects.get()
        assert (lead.country, lead.region, lead.city) == ("MX", "MX-CMX", "Mexico City")
        assert (lead.source, lead.received_at) == ("widget", clock.at)

    def test_even_what_would_not_be_valid(self, acme):
        assert acme.write({"ip": "nowhere", "country": 7, "source": {}, "received_at": "yesterday"}).status_code == 201

    def test_a_forged_forwarded_for_changes_nothing(self, acme, somewhere):
        acme.write({}, address="203.0.113.9", x_forwarded_for="198.51.100.7")

        assert Lead.objects.get().country == "MX"

    def test_a_trusted_proxy_is_believed(self, acme, somewhere, settings):
        from ipaddress import ip_network

        settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]

        acme.write({}, address="10.0.0.1", x_forwarded_for="198.51.100.7, 203.0.113.9")

        assert Lead.objects.get().country == "MX"

    def test_only_public_attributes_are_taken(self, acme):
        acme.write({"attributes": {"plan": "team", "vip": True}})

        assert Lead.objects.get().attributes == {"plan": "team"}


class TestLanguage:
    @pytest.mark.parametrize(
        ("body", "header", "language"),
        [
            ({"language": "pt-BR"}, "es", "pt-BR"),
            ({}, "fr, en-GB;q=0.8, es;q=0.7", "en-GB"),
            ({}, "fr", "es"),
            ({}, "", "es"),
            ({"language": ""}, "en", "en"),
        ],
    )
    def test_is_the_bodys_else_the_browsers_else_the_workspaces(self, acme, body, header, language):
        acme.write(body, accept_language=header)

        assert Lead.objects.get().language == language


class TestPhones:
    @pytest.mark.parametrize(
        ("typed", "address", "kept"),
        [
            ("+52 55 1234 5678", None, "+525512345678"),
            ("600 111 222", None, "+34600111222"),  # as from the workspace's zone
            ("55 1234 5678", "203.0.113.9", "+525512345678"),  # as from where they are
        ],
    )
    def test_are_dialled_from_where_the_visitor_is(self, acme, somewhere, typed, address, kept):
        acme.write({"phone": typed}, address=address)

        assert Lead.objects.get().phone == kept

    def test_one_that_cannot_be_dialled_is_kept_as_typed_rather_than_lost(self, acme):
        acme.write({"phone": "123456"})

        assert Lead.objects.get().phone == "123456"


class TestBots:
    @pytest.mark.parametrize("sign", [{"hp": "https://spam.test"}, {"ms": 799}, {"ms": 0}, {"ms": -5}, {"ms": 12.5}])
    def test_get_the_shape_of_an_answer_and_nobody(self, acme, sign):
        turns = turns_taken()

        response = acme.write({"channel": "whatsapp", "message": "Buy!", **sign})

        assert response.status_code == 201
        answer = response.json()
        human = acme.write({"channel": "whatsapp", "message": "Hola"}).json()
        assert answer.keys() == human.keys()
        assert (answer["outcome"], answer["agent"], answer["channel"]) == ("rejected", None, None)
        assert answer["promise"].keys() == human["promise"].keys()
        assert turns_taken() == turns + 1  # the human's

    def test_repeated_ones_get_the_first_answer(self, acme):
        body = {"message": "Buy!", "hp": "x"}
        first = acme.write(body, idempotency_key="bot-1")

        again = acme.write(body, idempotency_key="bot-1")

        assert (again.status_code, again.json()) == (201, first.json())

    @pytest.mark.parametrize("sign", [{}, {"hp": ""}, {"ms": 800}, {"ms": 5000.5}, {"ms": None}])
    def test_humans_are_none(self, acme, sign):
        assert acme.write({"message": "Hola", **sign}).json()["outcome"] == "assigned"

    def test_the_time_of_a_human_is_the_contracts(self):
        assert submissions.FASTEST_HUMAN_MS == 800


def turns_taken():
    return sum(Ledger.objects.values_list("turns", flat=True))


class TestJoining:
    def test_the_same_visitor_joins_their_open_lead(self, acme):
        first = acme.write({"visitor_id": "v1", "channel": "whatsapp", "message": "Hola"})
        turns = turns_taken()

        again = acme.write({"visitor_id": "v1", "message": "¿Hay alguien?"})

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["id"] == first.json()["id"]
        assert Lead.objects.count() == 1
        assert turns_taken() == turns

    def test_an_e_mail_or_a_phone_opens_nobodys_lead(self, acme):
        contact = {"email": "ana@example.com", "phone": "+34600999888"}
        first = acme.write({"visitor_id": "v1", **contact, "message": "My secret"}).json()

        other = acme.write({"visitor_id": "v2", **contact})

        assert other.status_code == 201
        assert other.json()["id"] != first["id"]
        assert other.json()["reference"] != first["reference"]


class TestIdempotencyKey:
    def test_a_repeat_gets_the_first_answer(self, acme):
        first = acme.write({"message": "Hola"}, idempotency_key="k1")

        again = acme.write({"message": "Hola"}, idempotency_key="k1")

        assert (again.status_code, again.json()) == (201, first.json())
        assert Lead.objects.count() == 1

    def test_another_body_is_422(self, acme):
        acme.write({"message": "Hola"}, idempotency_key="k1")

        problem(acme.write({"message": "Hola!"}, idempotency_key="k1"), 422)
        problem(acme.write(raw=b'{ "message": "Hola"}', idempotency_key="k1"), 422)  # compared byte by byte
        assert Lead.objects.count() == 1

    def test_it_belongs_to_its_site(self, acme, rival):
        acme.write({"message": "Hola"}, idempotency_key="k1")

        assert rival.write({"message": "Other"}, idempotency_key="k1").status_code == 201

    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "naïve", "a\tb"])
    def test_one_that_cannot_be_is_400(self, acme, key):
        assert problem(acme.write({}, idempotency_key=key), 400)["errors"].keys() == {"Idempotency-Key"}

    def test_the_longest_is_255(self, acme):
        assert acme.write({}, idempotency_key="x" * 255).status_code == 201

    def test_while_the_first_is_at_work_it_is_409(self, acme, monkeypatch):
        from leads.intake import IdempotencyBusy
        from widget import site_views

        def busy(**kwargs):
            raise IdempotencyBusy

        monkeypatch.setattr(site_views, "accept_lead", busy)

        problem(acme.write({}, idempotency_key="k1"), 409)


class TestStatus:
    def test_says_how_the_lead_stands_and_nothing_that_the_visitor_typed(self, acme):
        typed = {"name": "Ana Pérez", "email": "ana@example.com", "message": "Tengo prisa", "channel": "whatsapp"}
        answer = acme.write(typed).json()

        response = Client().get(answer["status_url"].removeprefix("http://127.0.0.1:8000"))

        assert response.status_code == 200
        assert response.json() == {"outcome": "assigned", "agent": "Marta Ruiz", "promise": answer["promise"]}
        assert not any(text in response.content.decode() for text in [*typed.values(), "600111222", "wa.me"])

    def test_for_seven_days(self, acme, clock):
        token = acme.write({}).json()["status_url"].rsplit("/", 1)[1]
        clock.at += timedelta(days=7) - timedelta(seconds=1)
        assert acme.visit(f"leads/{token}").status_code == 200

        clock.at += timedelta(seconds=1)

        problem(acme.visit(f"leads/{token}"), 404)

    def test_not_under_another_workspaces_key(self, acme, rival):
        token = acme.write({}).json()["status_url"].rsplit("/", 1)[1]

        problem(rival.visit(f"leads/{token}"), 404)

    def test_a_reference_or_an_id_opens_nothing(self, acme):
        answer = acme.write({}).json()

        problem(acme.visit(f"leads/{answer['reference']}"), 404)
        problem(acme.visit(f"leads/{answer['id']}"), 404)

    def test_reading_changes_nothing(self, acme):
        token = acme.write({}).json()["status_url"].rsplit("/", 1)[1]

        with CaptureQueriesContext(connection) as statements:
            acme.visit(f"leads/{token}")

        writes = [q["sql"] for q in statements if not q["sql"].startswith("SELECT") and "throttlecount" not in q["sql"]]
        assert writes == []


class TestLimits:
    def test_over_the_addresss_limit_it_is_429(self, acme, settings, clock):
        settings.THROTTLE_WIDGET = rates((2, 60), (100, 60))
        for _ in range(2):
            assert acme.write({}, address="203.0.113.9").status_code == 201
        clock.at += timedelta(seconds=15)

        response = acme.write({}, address="203.0.113.9", x_forwarded_for="198.51.100.7")

        problem(response, 429)
        assert 45 <= int(response["Retry-After"]) <= 46
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert "Retry-After" in response["Access-Control-Expose-Headers"]
        assert Lead.objects.count() == 2
        assert acme.write({}, address="203.0.113.10").status_code == 201

    def test_a_whole_ipv6_network_is_one_address(self, acme, settings):
        settings.THROTTLE_WIDGET = rates((1, 60), (100, 60))

        assert acme.write({}, address="2001:db8:1:2::1").status_code == 201
        assert acme.write({}, address="2001:db8:1:2:ffff::9").status_code == 429
        assert acme.write({}, address="2001:db8:1:3::1").status_code == 201

    def test_over_the_sites_limit_a_lead_is_stored_held_and_flagged(self, acme, settings):
        settings.THROTTLE_WIDGET = rates((100, 60), (1, 60))
        acme.write({"message": "first"})
        turns = turns_taken()

        response = acme.write({"message": "second", "channel": "whatsapp"}, address="203.0.113.9")

        assert response.status_code == 201
        assert (response.json()["outcome"], response.json()["agent"]) == ("held", None)
        lead = Lead.objects.get(message="second")
        assert lead.flagged
        assert turns_taken() == turns

    def test_reads_have_ten_times_as_many_and_are_refused_beyond(self, acme, settings):
        settings.THROTTLE_WIDGET = rates((1, 60), (100, 60))

        assert [acme.visit().status_code for _ in range(11)] == [200] * 10 + [429]
        assert acme.write({}).status_code == 201

    def test_reads_over_the_sites_limit_are_refused(self, acme, settings):
        settings.THROTTLE_WIDGET = rates((100, 60), (1, 60))

        answers = [acme.visit(x_forwarded_for="1.1.1.1").status_code for _ in range(11)]

        assert answers == [200] * 10 + [429]

    def test_each_site_has_its_own(self, acme, rival, settings):
        settings.THROTTLE_WIDGET = rates((1, 60), (1, 60))
        acme.write({})

        assert rival.write({}).json()["outcome"] == "assigned"

    def test_what_is_refused_at_the_door_is_not_counted(self, acme, settings):
        settings.THROTTLE_WIDGET = rates((1, 60), (1, 60))
        acme.write({}, origin="https://evil.test")

        assert acme.write({}).json()["outcome"] == "assigned"

    def test_off_counts_nothing(self, acme, settings):
        from widget.models import ThrottleCount

        settings.THROTTLE_WIDGET = None

        assert acme.write({}).status_code == 201
        assert not ThrottleCount.objects.exists()


def rates(*pairs):
    from config.environment import Rate

    return tuple(Rate(limit=limit, seconds=seconds) for limit, seconds in pairs)


class TestOneAddress:
    """The rule itself is tested in tests/leads/test_intake.py."""

    MANY = re.sub(
        r"agents:\n.*?teams:.*?\n",
        "agents:\n"
        + "".join(
            f"  - {{slug: a{n}, name: Agent {n}, languages: [es], handles: {{whatsapp: +3460011122{n}}},"
            f" shifts: [{{days: [mon], start: 00:00, end: 24:00}}]}}\n"
            for n in range(5)
        )
        + "teams: [{slug: iberia, agents: [a0, a1, a2, a3, a4]}]\n",
        HOUSE,
        flags=re.S,
    )

    def test_is_shown_three_agents_through_the_api_and_the_sites_page_together(self, db, clock):
        house = build("many", self.MANY)

        def asked(address):
            agent = house.write({"channel": "whatsapp"}, address=address).json()["agent"]
            return agent["name"]

        shown = [asked("203.0.113.9"), asked("203.0.113.9")]
        page = f"/talk/{house.site.key}"
        token = re.search(r'name="page" value="([^"]+)"', Client().get(page).content.decode())[1]
        clock.at += timedelta(seconds=5)
        answer = Client().post(
            page, {"page": token, "channel": "whatsapp"}, headers={"origin": "http://127.0.0.1:8000"},
            REMOTE_ADDR="203.0.113.9",
        )  # fmt: skip
        third = re.search(r'<bdi class="name">(.*?)</bdi>', answer.content.decode())[1]
        turns = turns_taken()

        assert len({*shown, third}) == 3
        assert [asked("203.0.113.9"), asked("203.0.113.9")] == [third, third]
        assert turns_taken() == turns
        assert Lead.objects.filter(reason="address_limit").count() == 2
        assert asked("198.51.100.1") not in {*shown, third}


class TestNothingIsLost:
    def test_where_routing_fails_the_visitor_gets_201(self, acme, monkeypatch, caplog):
        from routing import engine

        def broken(*args, **kwargs):
            raise RuntimeError("a bug in routing")

        monkeypatch.setattr(engine, "match", broken)

        response = acme.write({"message": "Hola", "channel": "whatsapp"})

        assert response.status_code == 201
        assert response.json()["outcome"] in ("held", "fallback")
        assert Lead.objects.get().flagged

    def test_where_the_database_is_away_it_says_so_and_when_to_come_back(self, acme, monkeypatch):
        from django.db import OperationalError

        from widget import site_views

        def away(**kwargs):
            raise OperationalError("connection refused")

        monkeypatch.setattr(site_views, "accept_lead", away)

        response = acme.write({"message": "Hola"})

        problem(response, 503)
        assert int(response["Retry-After"]) > 0


class TestTwoWorkspaces:
    def test_a_visitor_of_one_is_a_stranger_to_the_other(self, acme, rival):
        mine = acme.write({"visitor_id": "v1", "email": "ana@example.com", "channel": "whatsapp"}).json()

        theirs = rival.write({"visitor_id": "v1", "email": "ana@example.com"})

        assert theirs.status_code == 201
        assert theirs.json()["id"] != mine["id"]
        assert set(Lead.objects.values_list("workspace__slug", flat=True)) == {"acme", "rival"}

    def test_a_lead_moves_nothing_of_the_other(self, acme, rival):
        acme.write({"channel": "whatsapp"})

        assert not Assignment.objects.filter(workspace=rival.workspace).exists()
        assert sum(Ledger.objects.filter(workspace=rival.workspace).values_list("turns", flat=True)) == 0


def test_nobody_there_and_nobody_to_wait_for_is_no_error(db, clock):
    house = build("empty", HOUSE[: HOUSE.index("agents:")] + "rules: []\n")
    assert not Agent.objects.exists()
    assert not Team.objects.exists()

    response = house.write({"message": "Hola"})

    assert response.status_code == 201
    assert json.loads(response.content)["outcome"] == "held"
