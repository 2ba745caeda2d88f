"""What a replay must come to, worked out the slow way: from a workspace file and the rows of its leads alone.

Nothing of the engine is used. Everybody is looked at every quarter of an hour while a lead waits, so clocks, shifts
and absences must change at whole quarters of an hour (the leads need not).
"""

from tests.routing.reference.ledger import ONE
from tests.routing.reference.people import DAYS
from tests.routing.reference.replay import Reference

__all__ = ["DAYS", "ONE", "Reference"]
