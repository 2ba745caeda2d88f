"""What held leads wait for: who of their target is there, who becomes available, and when."""

from datetime import UTC, date, datetime

import pytest

from routing.engine import ANYBODY, Load, Reason, Target
from routing.engine.holding import Standing, load_agents, opening, release_reason, standing, worth_waiting
from tests.engine.world import NOON, ON_CALL, agent, office_hours, snapshot, team

SALES = Target("team", 1)
BERLIN = "Europe/Berlin"


def roster(*people, **more):
    return snapshot(people, **more).roster


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestStanding:
    def test_says_who_is_there_and_whom_only_a_cap_keeps_away(self):
        people = roster(agent(1), agent(2, caps={"open": 1}), agent(3, paused=True), agent(4, shifts=()))

        assert standing(people, SALES, {2: Load(open=1)}, NOON) == Standing(frozenset({1}), frozenset({2}))

    def test_a_cap_of_somebody_off_shift_is_not_all_that_keeps_them_away(self):
        people = roster(agent(1, shifts=office_hours("13:00", "14:00"), caps={"open": 1}))

        assert standing(people, SALES, {1: Load(open=1)}, NOON) == Standing(frozenset(), frozenset())

    def test_people_on_call_count_where_anybody_will_do_and_not_for_a_team(self):
        people = roster(agent(1, shifts=ON_CALL))

        assert standing(people, ANYBODY, {}, NOON).available == {1}
        assert standing(people, SALES, {}, NOON).available == frozenset()

    def test_a_target_that_is_gone_is_nobody(self):
        people = roster(agent(1))

        assert standing(people, Target("team", 7), {}, NOON).available == frozenset()
        assert standing(people, Target("agent", 7), {}, NOON).available == frozenset()
        assert not worth_waiting(people, Target("team", 7), NOON)

    def test_a_held_lead_is_tried_again_for_those_who_became_available(self):
        before = Standing(frozenset({1}), frozenset({2}))
        now = Standing(frozenset({1, 2, 3}), frozenset())

        assert now.newly_available(before) == {2, 3}
        assert release_reason(2, before) is Reason.CAP_FREED
        assert release_reason(3, before) is Reason.SHIFT_STARTED

    def test_only_the_loads_of_capped_people_matter(self):
        assert load_agents(roster(agent(1), agent(2, caps={"day": 3})), SALES) == (2,)


class TestOpening:
    def test_is_when_the_next_shift_of_the_target_starts(self):
        people = roster(
            agent(1, shifts=office_hours("14:00", "17:00")), agent(2, shifts=office_hours("15:00", "17:00"))
        )

        assert opening(people, SALES, {}, NOON) == utc("2026-03-02T14:00")
        assert opening(people, Target("agent", 2), {}, NOON) == utc("2026-03-02T15:00")

    def test_somebody_who_is_there_opens_when_they_come_back(self):
        people = roster(agent(1, shifts=office_hours("09:00", "13:00")))

        assert opening(people, SALES, {}, NOON) == utc("2026-03-03T09:00")

    def test_leave_and_holidays_put_it_off(self):
        leave = [(datetime(2026, 3, 3), datetime(2026, 3, 4))]
        people = roster(
            agent(1, shifts=office_hours("09:00", "11:00"), time_off=leave, calendar="XX"),
            calendars={"XX": frozenset({date(2026, 3, 4)})},
        )

        assert opening(people, SALES, {}, NOON) == utc("2026-03-05T09:00")

    def test_an_hour_cap_opens_with_the_next_clock_hour(self):
        people = roster(agent(1, shifts=office_hours(), caps={"hour": 1}))
        full = {1: Load(hour=1, hour_key="2026-03-02T12")}

        assert opening(people, SALES, full, NOON) == utc("2026-03-02T13:00")

    @pytest.mark.parametrize(
        ("night", "opens"),
        [("2026-03-28T20:00", "2026-03-28T23:00"), ("2026-03-29T20:00", "2026-03-29T22:00"),
         ("2026-10-24T20:00", "2026-10-24T22:00"), ("2026-10-25T20:00", "2026-10-25T23:00")],
    )  # fmt: skip
    def test_a_day_cap_opens_at_midnight_of_the_agents_zone_on_both_dst_days(self, night, opens):
        people = roster(agent(1, zone=BERLIN, caps={"day": 1}))
        at = utc(night)
        full = {1: Load(day=1, day_key=at.date().isoformat())}

        assert opening(people, SALES, full, at) == utc(opens)
        assert standing(people, SALES, full, at).available == frozenset()
        assert standing(people, SALES, full, utc(opens)).available == {1}

    def test_a_week_cap_opens_on_monday(self):
        people = roster(agent(1, shifts=office_hours(), caps={"week": 1}))
        full = {1: Load(week=1, week_key="2026-W10")}

        assert opening(people, SALES, full, NOON) == utc("2026-03-09T09:00")

    def test_an_open_cap_never_opens_by_time_alone(self):
        people = roster(agent(1, caps={"open": 1}))

        assert opening(people, SALES, {1: Load(open=1)}, NOON) is None

    @pytest.mark.parametrize("changes", [{"paused": True}, {"active": False}, {"shifts": ()}])
    def test_whom_time_does_not_bring_back_opens_never(self, changes):
        people = roster(agent(1, **({"shifts": office_hours()} | changes)))

        assert opening(people, SALES, {}, NOON) is None

    def test_an_archived_team_never_opens(self):
        people = roster(agent(1), teams=[team(1, "sales", [1], archived=True)])

        assert opening(people, SALES, {}, NOON) is None
