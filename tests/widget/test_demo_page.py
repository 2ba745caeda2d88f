"""The sample customer page, and what it says of its own leads."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents.models import Membership, Site, Workspace
from leads.models import Lead
from routing.models import Ledger
from widget.demo.texts import LANGUAGES
from widget.demo.workspace import load_demo

pytestmark = [pytest.mark.django_db, pytest.mark.portable]


@pytest.fixture
def embedded(settings, tmp_path):
    settings.EMBEDDED_DATABASE = True
    settings.BIND_ADDRESS = "127.0.0.1"
    settings.VAR_DIR = tmp_path


@pytest.fixture
def site(embedded):
    return load_demo(at=timezone.now())


def test_the_demo_is_refused_on_a_database_that_is_somebodys(settings, tmp_path):
    settings.EMBEDDED_DATABASE = False
    settings.VAR_DIR = tmp_path

    with pytest.raises(CommandError, match="unset DATABASE_URL"):
        call_command("load_demo")

    assert not Workspace.objects.exists()


def test_loading_the_demo_again_keeps_what_managers_changed_and_follows_the_port(site, settings):
    Workspace.objects.filter(slug="demo").update(name="Ours")
    settings.PORT = 9123

    again = load_demo(at=timezone.now())

    assert again.pk == site.pk
    assert again.key == site.key
    assert "http://localhost:9123" in again.origins
    assert Workspace.objects.get(slug="demo").name == "Ours"
    assert Membership.objects.count() == 3


def test_the_password_lies_where_only_its_owner_reads_it(site, settings):
    file = settings.VAR_DIR / "demo_password"

    assert file.stat().st_mode & 0o077 == 0
    assert Membership.objects.get(user__email="manager@demo.test").user.check_password(file.read_text().strip())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_carries_the_snippet_in_every_language(site, client, settings, language):
    page = client.get("/demo/", {"lang": language}).content.decode()

    assert f'<script async src="{settings.PUBLIC_URL}/widget/v1.js" data-site="{site.key}"></script>' in page
    assert f'<html lang="{language}">' in page


def test_without_a_demo_the_page_says_so(db, client):
    answer = client.get("/demo/")

    assert answer.status_code == 404
    assert b"no demo workspace" in answer.content


def test_the_panel_makes_a_real_lead_from_elsewhere(site, client):
    answer = client.post("/demo/try", {"country": "ES", "language": "es", "channel": "whatsapp", "at": ""})

    lead = Lead.objects.get()
    assert (lead.country, lead.language, lead.outcome) == ("ES", "es", "assigned")
    assert lead.agent.name in answer.content.decode()
    assert lead.reference in answer.content.decode()


def test_another_time_of_day_is_a_dry_run_that_stores_nothing(site, client):
    before = list(Ledger.objects.order_by("pk").values())

    answer = client.post(
        "/demo/try", {"country": "DE", "language": "de", "channel": "whatsapp", "at": "2026-11-22T03:00"}
    )

    assert "Dry run for Sun 22 Nov 2026, 03:00" in answer.content.decode()
    assert not Lead.objects.exists()
    assert list(Ledger.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"country": "XX", "language": "es", "channel": "whatsapp"},
        {"country": "ES", "language": "xx", "channel": "whatsapp"},
        {"country": "ES", "language": "es", "channel": "fax"},
        {"country": "ES", "language": "es", "channel": "whatsapp", "at": "soon"},
    ],
)
def test_fields_that_are_not_from_the_lists_are_refused(site, client, fields):
    answer = client.post("/demo/try", fields)

    assert 'class="problem"' in answer.content.decode()
    assert not Lead.objects.exists()


def test_a_get_never_makes_a_lead(site, client):
    assert client.get("/demo/try").status_code == 405
    assert not Lead.objects.exists()


def test_the_page_says_who_got_a_lead_of_the_widget_and_why(site, client, settings):
    origin = f"http://127.0.0.1:{settings.PORT}"
    body = {"channel": "whatsapp", "language": "es", "visitor_id": "v"}
    answer = client.post(
        f"/api/v1/widgets/{site.key}/leads", body, content_type="application/json", headers={"Origin": origin}
    ).json()
    token = answer["status_url"].rsplit("/", 1)[1]

    why = client.get(f"/demo/why/{token}").content.decode()

    assert answer["agent"]["name"] in re.sub(r"\s+", " ", why)
    assert "The rules, in order" in why


def test_only_leads_of_the_demo_workspace_are_explained(site, client):
    other = Workspace.objects.create(slug="other", name="Other")
    elsewhere = Site.objects.create(workspace=other, name="Elsewhere", origins=["https://other.example"])
    body = {"channel": "form", "message": "secret", "visitor_id": "v"}
    answer = client.post(
        f"/api/v1/widgets/{elsewhere.key}/leads",
        body,
        content_type="application/json",
        headers={"Origin": "https://other.example"},
    ).json()
    token = answer["status_url"].rsplit("/", 1)[1]

    assert "Nothing was decided about this lead" in client.get(f"/demo/why/{token}").content.decode()
