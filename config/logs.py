import logging


def one_line(record: logging.LogRecord) -> bool:
    """Cuts a record to its first line. While the broker is away, beat would log its whole stack every second."""
    record.msg, record.args = record.getMessage().partition("\n")[0], ()
    record.exc_info = None
    return True
