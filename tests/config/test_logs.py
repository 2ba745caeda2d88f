import logging

from config.logs import one_line


def test_a_record_is_cut_to_its_first_line():
    record = logging.LogRecord(
        "celery.beat", logging.ERROR, __file__, 1, "Message Error: %s\n%s", ("no broker", ["stack"]), (None, None, None)
    )

    assert one_line(record)

    assert logging.Formatter().format(record) == "Message Error: no broker"
