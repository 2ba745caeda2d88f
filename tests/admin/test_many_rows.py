"""What managers open takes few statements, with a thousand agents, two hundred rules and a hundred thousand leads."""

from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext

from tests.admin.many import addresses, make_large_world, owner_of

MOST = 60


class TestManyRows(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_large_world()
        cls.owner = owner_of(cls.world)

    def test_every_page_takes_a_bounded_number_of_statements(self):
        client = Client()
        client.force_login(self.owner)
        taken = {}
        for address in addresses(self.world):
            with CaptureQueriesContext(connection) as statements:
                response = client.get(address, follow=True)
            assert response.status_code == 200, address
            taken[address] = len(statements)

        assert {address: number for address, number in taken.items() if number > MOST} == {}
