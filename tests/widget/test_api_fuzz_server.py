"""Whatever is sent to the server's door: no 5xx, no error in the log, and what was taken is there once, readable."""

import logging

import pytest

from tests.widget.fuzzing import PORTIONS, Fuzzing, brisk, unlimited  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unlimited", "brisk")]


@pytest.mark.parametrize("portion", PORTIONS["server"])
def test_nothing_that_is_sent_breaks_anything(acme, caplog, record_property, portion):
    fuzzing = Fuzzing(acme, "server", portion)

    with caplog.at_level(logging.ERROR):
        fuzzing.send_all()

        fuzzing.check_all(record_property, caplog)
