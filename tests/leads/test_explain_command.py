"""manage.py explain, for leads that exist and for those that do not."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from leads.explaining import explain_lead
from leads.models import Assignment, Lead
from routing.models import Ledger
from widget.demo.workspace import FILE

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

AT = "2026-03-02T10:00:00+01:00"


@pytest.fixture
def demo():
    from agents.models import Workspace
    from routing import workspace_file

    workspace_file.load(FILE.read_bytes(), by=None, at=timezone.now())
    return Workspace.objects.get(slug="demo")


@pytest.fixture
def said(capsys):
    def run(*args):
        call_command("explain", *args)
        return capsys.readouterr().out

    return run


def test_an_imagined_lead_is_walked_through_every_rule(demo, said):
    text = said("--workspace", "demo", "--at", AT, "country=ES", "language=es", "channel=whatsapp")

    assert text.startswith("assigned: Marta Ruiz (their turn)\nrule: Iberia\n")
    assert "channel is Form: it was “whatsapp”" in text
    assert "Diego Herrera: not on shift" in text
    assert "marta: +0.0000 +0.5000 → -0.5000" in text


def test_explaining_changes_nothing_and_the_next_lead_gets_what_it_said(demo, said):
    before = list(Ledger.objects.order_by("pk").values())
    explained = json.loads(said("--workspace", "demo", "--at", AT, "country=ES", "language=es", "--format", "json"))

    assert explained["agent"] is not None
    assert list(Ledger.objects.order_by("pk").values()) == before
    assert not Lead.objects.exists()
    assert not Assignment.objects.exists()


def test_another_instant_uses_the_shifts_of_that_instant(demo, said):
    night = said("--workspace", "demo", "--at", "2026-03-02T03:00:00+01:00", "language=es", "channel=whatsapp")

    assert "(on call)" in night.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--workspace", "demo", "contry=ES"], "unknown field 'contry' (did you mean 'country'?)"),
        (["--workspace", "dmo", "country=ES"], "there is no workspace 'dmo' (did you mean 'demo'?)"),
        (["--workspace", "demo", "--at", "2026-03-02T10:00", "country=ES"], "no ISO 8601 time with an offset"),
        (["--workspace", "demo", "--at", "noon", "country=ES"], "no ISO 8601 time with an offset"),
        (["--workspace", "demo", "language=nonsense-xx-yy-zz"], "language"),
        (["country=ES"], "name the workspace"),
        (["4e7e1396-8e3b-43b9-a563-b3957c8d9b84"], "there is no lead"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_sentence(demo, arguments, sentence):
    with pytest.raises(CommandError) as refused:
        call_command("explain", *arguments)

    assert sentence in str(refused.value)
    assert refused.value.returncode == 2


def test_a_stored_lead_is_explained_as_it_was_decided(demo, said):
    from agents.models import Site
    from leads.intake import Submission, accept_lead
    from widget.submissions import door_of_site

    site = Site.objects.select_related("workspace").get(workspace=demo)
    accepted = accept_lead(
        door=door_of_site(site),
        submission=Submission(channel="whatsapp", language="es", visitor_id="v"),
        at=timezone.now(),
    )
    lead = Lead.objects.get(pk=accepted.lead_id)
    explained = explain_lead(lead)
    text = said(str(lead.pk))

    assert explained["agent"]["slug"] == lead.agent.slug
    assert (explained["outcome"], explained["reason"], explained["rule"]) == (lead.outcome, lead.reason, lead.rule)
    assert lead.agent.name in text.splitlines()[0]
    assert said("--workspace", "demo", lead.reference) == text
