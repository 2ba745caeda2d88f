"""How many SQL statements a lead costs: a small number that does not grow."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.widget.conftest import HOUSE, build

# The key; the transaction's begin and end; the ledger twice; the load; lead, assignment, decision, events and outbox;
# the chosen agent's handle.
MOST = 12

pytestmark = pytest.mark.django_db


def statements(work):
    with CaptureQueriesContext(connection) as captured:
        assert work().status_code == 201
    return [query["sql"] for query in captured]


@pytest.fixture
def warm(django_capture_on_commit_callbacks, settings):
    """Compiled snapshots are kept when a transaction commits, which a test's never does by itself."""
    settings.THROTTLE_WIDGET = settings.THROTTLE_API = None

    def warm(house):
        with django_capture_on_commit_callbacks(execute=True):
            house.write({})
        return house

    return warm


def test_a_lead_from_a_visitor(acme, warm):
    warm(acme)

    found = statements(lambda: acme.write({"channel": "whatsapp", "message": "Hola", "language": "es"}))

    assert len(found) <= MOST, "\n".join(found)


def test_a_lead_from_a_server(acme, warm):
    warm(acme)

    found = statements(lambda: acme.send("leads", {"channel": "whatsapp", "message": "Hola"}))

    assert len(found) <= MOST, "\n".join(found)


def test_ten_times_the_people_and_rules_cost_no_more(db, clock, warm):
    small = warm(build("small"))
    many = "".join(
        f"  - {{slug: a{n}, name: A{n}, shifts: [{{days: [mon], start: 09:00, end: 18:00}}]}}\n" for n in range(20)
    )
    rules = "rules:\n" + "".join(
        f"  - {{name: R{n}, when: {{all: [{{field: country, op: is, value: FR}}]}}, route: {{to: {{team: iberia}}}}}}\n"
        for n in range(50)
    )
    text = (
        HOUSE.replace("teams:", many + "teams:").replace("rules: [", rules + "  - ").replace("iberia}}}]", "iberia}}}")
    )
    large = warm(build("large", text))

    costs = [len(statements(lambda: house.write({"message": "Hola"}))) for house in (small, large)]  # noqa: B023

    assert costs[0] == costs[1]
