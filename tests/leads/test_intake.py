import pytest

from leads.models import Assignment, Decision, Event, Lead, Outbox
from tests.leads.world import NOON, make_world, person, rule

pytestmark = pytest.mark.django_db


class TestANewLead:
    def test_goes_to_whose_turn_it_is_and_is_written_with_everything_that_follows(self):
        world = make_world(person("ana"), person("bo"))

        accepted = world.send(channel="whatsapp", email="Eva@Example.com", message="Hello")

        lead = world.lead(accepted)
        assert accepted.outcome == "assigned"
        assert accepted.reason == "round_robin"
        assert accepted.agent.slug == "ana"
        assert accepted.channel.url.startswith("https://wa.me/34600111222?text=Hello")
        assert lead.agent.slug == "ana"
        assert lead.team.slug == "sales"
        assert lead.email == "eva@example.com"
        assert Assignment.objects.get(lead=lead).agent == lead.agent
        assert Decision.objects.get(lead=lead).moved_ledger
        assert list(Event.objects.filter(lead=lead).order_by("pk").values_list("kind", flat=True)) == [
            "received",
            "assigned",
        ]
        assert Outbox.objects.get().payload == {"lead": str(lead.pk), "agent": lead.agent_id}
        assert sum(world.credits()) == 0
        assert world.load("ana").open == 1
