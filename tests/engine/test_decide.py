"""Who gets the lead: availability, requirements, preferences, strategies, and what happens when nobody is there."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from routing.engine import IDLE, Candidate, Load, Outcome, Reason, Target, Verdict, decide
from routing.engine.choosing import least_busy
from tests.engine.world import (
    ALWAYS,
    NIGHT,
    NOON,
    ON_CALL,
    Desk,
    agent,
    condition,
    lead,
    office_hours,
    rule,
    snapshot,
    team,
)

TODAY = {"day_key": "2026-03-02", "hour_key": "2026-03-02T12", "week_key": "2026-W10"}


def verdicts(decision):
    return {candidate.agent: candidate.verdict.value for candidate in decision.candidates}


def decided(world, request=None, *, loads=None, at=NOON):
    return decide(request or lead(), world, loads or {}, {}, at)


class TestTurns:
    def test_equal_agents_take_turns(self):
        desk = Desk(snapshot([agent(n) for n in range(1, 6)]))

        first, sixth = desk.takes(5), desk.take()

        assert sorted(first) == [1, 2, 3, 4, 5]
        assert sixth == first[0]

    def test_weight_zero_is_never_chosen_by_turn(self):
        desk = Desk(snapshot([agent(1), agent(2)], [team(1, "sales", [(1, 1), (2, 0)])]))

        assert set(desk.takes(20)) == {1}
        assert verdicts(desk.decisions[-1])[2] == "weight_zero"

    def test_two_rules_of_one_team_share_its_ledger(self):
        rules = [rule("spain", when=condition("country", "is", "ES")), rule("everything")]
        desk = Desk(snapshot([agent(1), agent(2)], rules=rules))

        received = [desk.take(lead(country=country)) for country in ("ES", None) * 10]

        assert Counter(received) == {1: 10, 2: 10}

    def test_a_rule_for_one_agent_moves_no_ledger(self):
        world = snapshot([agent(1), agent(2)], [team(1, "sales", [1, 2])], [rule("direct", "agent:a2")])

        decision = decided(world)

        assert (decision.agent, decision.reason, decision.turn, decision.ledger) == (2, Reason.DIRECT, None, None)

    def test_the_margin_says_how_far_behind_somebody_is(self):
        desk = Desk(snapshot([agent(1), agent(2)]))
        desk.take()

        desk.take()

        assert desk.decisions[-1].agent == 2
        assert desk.decisions[-1].candidates[0] == Candidate(1, Verdict.NOT_THEIR_TURN, 1 << 40)


class TestAvailability:
    @pytest.mark.parametrize(
        ("changes", "verdict"),
        [
            ({"active": False, "paused": True}, "inactive"),
            ({"paused": True, "shifts": ()}, "paused"),
            ({"time_off": [(datetime(2026, 3, 2), datetime(2026, 3, 3))], "shifts": ()}, "time_off"),
            ({"calendar": "XX", "shifts": ()}, "holiday"),
            ({"shifts": office_hours("13:00", "17:00"), "caps": {"open": 0}}, "off_shift"),
            ({"caps": {"open": 1}, "languages": ["fr"]}, "at_cap"),
            ({"languages": ["fr"], "channels": []}, "language"),
            ({"channels": ["telegram"], "territories": ["PT"]}, "channel"),
            ({"territories": ["PT"], "tags": []}, "territory"),
            ({"tags": []}, "tags"),
        ],
    )
    def test_the_first_failing_reason_is_named(self, changes, verdict):
        rules = [rule("picky", require=["language", "channel", "territory", "tags:vip"])]
        world = snapshot(
            [agent(1, **({"tags": ["vip"]} | changes))], rules=rules, calendars={"XX": frozenset({date(2026, 3, 2)})}
        )

        decision = decided(world, lead(country="ES"), loads={1: Load(open=1)})

        assert verdicts(decision) == {1: verdict}
        assert decision.outcome is Outcome.HELD

    def test_a_holiday_cuts_regular_shifts_and_not_on_call_ones(self):
        people = [agent(1, calendar="XX", shifts=(*ALWAYS, *ON_CALL))]
        world = snapshot(
            people, rules=[rule("r", if_nobody="on_call")], calendars={"XX": frozenset({date(2026, 3, 2)})}
        )

        assert decided(world).reason is Reason.ON_CALL

    @pytest.mark.parametrize(
        ("cap", "load"),
        [
            ({"open": 3}, Load(open=3)),
            ({"hour": 2}, Load(hour=2, **TODAY)),
            ({"day": 2}, Load(day=2, **TODAY)),
            ({"week": 2}, Load(week=2, **TODAY)),
        ],
    )
    def test_a_reached_cap_stands_in_the_way(self, cap, load):
        world = snapshot([agent(1, caps=cap), agent(2)])

        assert decided(world, loads={1: load}).agent == 2

    def test_a_reached_cap_is_forgotten_with_the_next_lead(self):
        world = snapshot([agent(1, caps={"open": 1}), agent(2), agent(3, paused=True)])
        busy = {1: Load(open=1)}

        asked = [decided(world, loads=loads).candidates for loads in (busy, busy, {}, busy)]

        full, free = ["at_cap", "chosen", "paused"], ["chosen", "not_their_turn", "paused"]
        assert [[each.verdict for each in people] for people in asked] == [full, full, free, full]

    def test_counts_of_another_period_are_worth_nothing(self):
        world = snapshot([agent(1, caps={"hour": 1, "day": 1, "week": 1})])
        stale = Load(hour=9, hour_key="2026-03-02T11", day=9, day_key="2026-03-01", week=9, week_key="2026-W09")

        assert decided(world, loads={1: stale}).agent == 1

    def test_another_instant_uses_the_shifts_of_that_instant(self):
        world = snapshot([agent(1, shifts=office_hours()), agent(2, shifts=office_hours("17:00", "23:59"))])

        assert decided(world, at=NOON).agent == 1
        assert decided(world, at=NOON + timedelta(hours=6)).agent == 2

    def test_an_excluded_agent_was_already_tried(self):
        decision = decided(snapshot([agent(1), agent(2)]), lead(tried=frozenset({1})))

        assert decision.agent == 2
        assert verdicts(decision)[1] == "already_tried"


class TestRequirements:
    def test_a_channel_that_opens_on_a_handle_always_requires_it(self):
        world = snapshot([agent(1, channels=[]), agent(2)])

        assert decided(world).agent == 2
        assert decided(world, lead(channel="form")).agent == 1

    def test_a_requirement_on_an_unknown_fact_is_fulfilled_by_nobody(self):
        world = snapshot([agent(1)], rules=[rule("r", require=["channel"])])

        assert verdicts(decided(world, lead(channel=None))) == {1: "channel"}

    def test_territory_unknown_is_for_those_who_name_none(self):
        world = snapshot([agent(1, territories=["ES"]), agent(2)], rules=[rule("r", require=["territory"])])

        assert verdicts(decided(world, lead(country=None))) == {1: "territory", 2: "chosen"}

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"country": "US", "region": "US-CA"}, {1, 2, 4}),
            ({"country": "US", "region": "US-NY"}, {2, 4}),
            ({"country": "US"}, {2, 4}),
            ({"country": "ES"}, {3, 4}),
        ],
    )
    def test_territory_is_by_region_or_country_or_everywhere(self, facts, expected):
        people = [
            agent(1, territories=["US-CA"]),
            agent(2, territories=["US"]),
            agent(3, territories=["ES"]),
            agent(4),
        ]
        desk = Desk(snapshot(people, rules=[rule("r", require=["territory"])]))

        assert set(desk.takes(12, lead(**facts))) == expected

    @pytest.mark.parametrize(
        ("spoken", "wanted", "found"),
        [
            ({1: ["pt"], 2: ["en"]}, "pt-BR", {1}),
            ({1: ["pt"], 2: ["pt-BR"]}, "pt-BR", {2}),
            ({1: ["es-MX"], 2: ["en"]}, "es", {1}),
            ({1: ["es-MX"], 2: ["es"]}, "es-AR", {2}),
            ({1: ["zh-CN"], 2: ["zh"]}, "zh-TW", set()),
            ({1: ["zh-CN"], 2: ["zh-Hant"]}, "zh-TW", {2}),
            ({1: ["zh"], 2: ["zh-Hans"]}, "zh-CN", {1}),
        ],
    )
    def test_languages_are_met_exactly_then_by_base_then_by_script(self, spoken, wanted, found):
        people = [agent(number, languages=tags) for number, tags in spoken.items()]
        desk = Desk(snapshot(people, rules=[rule("r", require=["language"])]))

        assert set(desk.takes(4, lead(language=wanted))) - {None} == found

    def test_a_wider_match_of_the_language_counts_where_nobody_who_is_there_has_the_exact_tag(self):
        people = [agent(1, languages=["pt-BR"], shifts=office_hours("20:00", "22:00")), agent(2, languages=["pt"])]
        world = snapshot(people, rules=[rule("r", require=["language"])])

        assert decided(world, lead(language="pt-BR")).agent == 2


class TestPreferences:
    RULES = [rule("r", prefer=["language", "territory"])]

    def test_language_comes_before_country(self):
        people = [agent(1, languages=["fr"]), agent(2, languages=["en"], territories=["BE"])]
        decision = decided(snapshot(people, rules=self.RULES), lead(language="fr-BE", country="BE"))

        assert decision.agent == 1
        assert verdicts(decision)[2] == "not_preferred"

    def test_country_decides_where_nobody_speaks_the_language(self):
        people = [agent(1, languages=["de"]), agent(2, languages=["en"], territories=["BE"])]

        assert decided(snapshot(people, rules=self.RULES), lead(language="fr-BE", country="BE")).agent == 2

    def test_anyone_will_do_where_no_preference_can_be_met(self):
        people = [agent(1, languages=["de"], territories=["DE"])]

        assert decided(snapshot(people, rules=self.RULES), lead(language="fr-BE", country="BE")).agent == 1

    def test_a_region_is_preferred_to_its_country(self):
        people = [agent(1, territories=["US"]), agent(2, territories=["US-CA"]), agent(3)]
        request = lead(country="US", region="US-CA")

        assert decided(snapshot(people, rules=[rule("r", prefer=["territory"])]), request).agent == 2

    def test_a_preferred_tag_narrows_only_where_somebody_is_left(self):
        world = snapshot([agent(1), agent(2, tags=["VIP"])], rules=[rule("r", prefer=["tags:vip", "tags:gold"])])

        assert decided(world).agent == 2


class TestStrategies:
    def test_least_busy_looks_at_open_leads_only(self):
        world = snapshot([agent(1), agent(2), agent(3)], rules=[rule("r", by="least_busy")])
        loads = {1: Load(open=3), 2: Load(open=1, day=9, day_key="2026-03-02"), 3: Load(open=2)}

        decision = decided(world, loads=loads)

        assert (decision.agent, decision.reason, decision.turn) == (2, Reason.LEAST_BUSY, None)

    def test_least_busy_is_relative_to_the_cap_then_by_idleness(self):
        idle = {number: NOON - timedelta(minutes=minutes) for number, minutes in {1: 5, 2: 3, 3: 7, 4: 2}.items()}
        opened = {1: (3, 5), 2: (3, 4), 3: (3, 5), 4: (0, 3)}
        loads = {n: Load(open=opened[n][0], last_assigned_at=idle[n]) for n in opened}
        order = []
        while loads:
            order.append(least_busy(loads, {n: opened[n][1] for n in opened}))
            del loads[order[-1]]

        assert order == [4, 3, 1, 2]

    def test_least_busy_counts_plainly_where_somebody_has_no_cap(self):
        loads = {1: Load(open=2), 2: Load(open=3)}

        assert least_busy(loads, {1: 2, 2: None}) == 1
        assert least_busy(loads, {1: 2, 2: 100}) == 2

    def test_somebody_never_used_is_idle_longest(self):
        assert least_busy({1: Load(last_assigned_at=NOON), 2: IDLE}, {1: None, 2: None}) == 2

    def test_priority_uses_the_lowest_tier_that_is_there(self):
        tiers = team(1, "sales", [(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 1, 3)])
        desk = Desk(snapshot([agent(n) for n in range(1, 5)], [tiers], [rule("r", by="priority")]))

        assert Counter(desk.takes(10)) == {1: 5, 2: 5}
        assert verdicts(desk.decisions[-1])[3] == "lower_tier"
        assert desk.decisions[-1].reason is Reason.PRIORITY

    def test_priority_falls_to_the_next_tier_where_the_first_is_away(self):
        tiers = team(1, "sales", [(1, 1, 1), (2, 1, 2)])

        assert decided(snapshot([agent(1, paused=True), agent(2)], [tiers], [rule("r", by="priority")])).agent == 2

    def test_a_claim_is_offered_to_all_takers_and_goes_by_turn_when_it_runs_out(self):
        world = snapshot([agent(1), agent(2), agent(3, paused=True)], rules=[rule("r", by="claim")])

        offer = decided(world, lead(channel="form"))
        after = decided(world, lead(channel="form", claim_over=True))

        assert (offer.outcome, offer.reason, offer.target) == (Outcome.HELD, Reason.CLAIM, Target("team", 1))
        assert verdicts(offer) == {1: "offered", 2: "offered", 3: "paused"}
        assert offer.turn is None
        assert (after.outcome, after.reason, after.agent, after.ledger) == (Outcome.ASSIGNED, Reason.CLAIM, 1, 1)


class TestNobody:
    def test_a_rule_whose_team_is_away_passes_to_the_next_and_the_trail_says_why(self):
        people = [agent(1, shifts=()), agent(2)]
        teams = [team(1, "night", [1]), team(2, "day", [2]), team(3, "empty", [])]
        rules = [rule("nobody", "empty"), rule("first", "night"), rule("second", "day"), rule("third", "night")]

        decision = decided(snapshot(people, teams, rules))

        assert (decision.agent, decision.rule) == (2, "second")
        assert [(pool.rule, pool.then) for pool in decision.pools] == [
            ("nobody", "next_rule"),
            ("first", "next_rule"),
            ("second", "assigned"),
        ]

    def test_on_call_people_of_the_team_take_turns_in_its_ledger(self):
        desk = Desk(
            snapshot(
                [agent(1, shifts=ON_CALL), agent(2, shifts=ON_CALL), agent(3, shifts=())],
                rules=[rule("r", if_nobody="on_call")],
            )
        )

        assert Counter(desk.takes(6)) == {1: 3, 2: 3}
        assert (desk.decisions[0].reason, desk.decisions[0].ledger) == (Reason.ON_CALL, 1)

    def test_nobody_on_call_goes_on_with_the_next_rule(self):
        people = [agent(1, shifts=()), agent(2)]
        teams = [team(1, "a", [1]), team(2, "b", [2])]

        assert decided(snapshot(people, teams, [rule("x", "a", if_nobody="on_call"), rule("y", "b")])).agent == 2

    def test_hold_waits_where_somebody_has_hours_soon(self):
        world = snapshot([agent(1, shifts=office_hours())], rules=[rule("r", if_nobody="hold")])

        decision = decided(world, at=NIGHT)

        assert (decision.outcome, decision.reason, decision.target) == (Outcome.HELD, Reason.NOBODY, Target("team", 1))

    @pytest.mark.parametrize(
        "changes",
        [
            {"shifts": ()},
            {"active": False},
            {"shifts": ON_CALL, "channels": []},
            {"channels": ["telegram"]},
            {"time_off": [(datetime(2026, 3, 1), datetime(2026, 3, 17))]},
        ],
    )
    def test_hold_acts_as_next_rule_where_nobody_suitable_has_hours_within_14_days(self, changes):
        people = [agent(1, **({"shifts": office_hours()} | changes)), agent(2)]
        teams = [team(1, "a", [1]), team(2, "b", [2])]

        assert decided(snapshot(people, teams, [rule("x", "a", if_nobody="hold"), rule("y", "b")]), at=NIGHT).agent == 2

    def test_leave_that_ends_within_14_days_is_worth_waiting_for(self):
        leave = [(datetime(2026, 3, 1), datetime(2026, 3, 13))]
        world = snapshot([agent(1, shifts=office_hours(), time_off=leave)], rules=[rule("r", if_nobody="hold")])

        assert decided(world).target == Target("team", 1)

    def test_the_queue_takes_leads_by_rule_and_where_nobody_is_there(self):
        direct = decided(snapshot([agent(1)], rules=[rule("cold", "queue")]))
        nobody = decided(snapshot([agent(1, paused=True)], rules=[rule("r", if_nobody="queue")]))

        assert (direct.outcome, direct.agent) == (Outcome.QUEUED, None)
        assert (nobody.outcome, nobody.reason) == (Outcome.QUEUED, Reason.NOBODY)

    def test_the_end_of_the_list_asks_everybody_on_call_who_has_the_channel(self):
        people = [agent(1, shifts=ON_CALL), agent(2, shifts=ON_CALL, channels=[]), agent(3, shifts=ON_CALL), agent(4)]
        desk = Desk(snapshot(people, [team(1, "sales", [4])], [rule("r", when=condition("country", "is", "ES"))]))

        assert Counter(desk.takes(8)) == {1: 4, 3: 4}
        assert (desk.decisions[0].reason, desk.decisions[0].ledger, desk.decisions[0].rule) == (Reason.ON_CALL, 0, None)

    def test_the_fallback_agent_takes_leads_at_any_hour_and_over_any_cap(self):
        world = snapshot(
            [agent(1, shifts=()), agent(2, shifts=(), paused=True, caps={"open": 1})],
            [team(1, "sales", [1])],
            fallback=2,
        )

        decision = decided(world, loads={2: Load(open=5)})

        assert (decision.outcome, decision.reason, decision.agent) == (Outcome.FALLBACK, Reason.FALLBACK, 2)
        assert (decision.rule, decision.turn) == ("everything", None)

    def test_the_fallback_agent_is_reached_by_a_channel_they_have(self):
        people = [agent(1, shifts=(), channels=["phone", "email"])]
        world = snapshot(people, [team(1, "sales", [])], fallback=1)

        assert decided(world, lead(channels=("whatsapp", "email", "phone"))).channel == "email"
        assert decided(world, lead(channels=("whatsapp",))).channel is None
        assert decided(world, lead(channel="form", channels=("whatsapp",))).channel == "form"

    @pytest.mark.parametrize("by", ["round_robin", "least_busy", "priority"])
    def test_inactive_people_are_never_picked_the_fallback_included(self, by):
        world = snapshot([agent(1, active=False)], rules=[rule("r", by=by, if_nobody="fallback")], fallback=1)

        decision = decided(world)

        assert (decision.outcome, decision.reason, decision.agent) == (Outcome.HELD, Reason.NOBODY, None)
        assert decision.target == Target("workspace", 0)

    def test_fallback_goes_straight_to_the_fallback_agent(self):
        people = [agent(1, paused=True), agent(2), agent(3, shifts=())]
        teams = [team(1, "a", [1]), team(2, "b", [2])]
        world = snapshot(people, teams, [rule("x", "a", if_nobody="fallback"), rule("y", "b")], fallback=3)

        assert decided(world).agent == 3


class TestPeopleWeKnow:
    def test_a_known_contact_goes_to_the_agent_they_had_without_a_turn(self):
        decision = decided(snapshot([agent(1), agent(2)]), lead(known=2))

        assert (decision.agent, decision.reason, decision.rule, decision.turn) == (2, Reason.RETURNING, None, None)

    @pytest.mark.parametrize("changes", [{"paused": True}, {"channels": []}, {"shifts": ON_CALL}, {"active": False}])
    def test_by_turn_where_their_agent_is_away_or_lacks_the_channel(self, changes):
        decision = decided(snapshot([agent(1), agent(2, **changes)]), lead(known=2))

        assert (decision.agent, decision.reason) == (1, Reason.ROUND_ROBIN)

    def test_rotate_sends_everybody_by_turn(self):
        assert decided(snapshot([agent(1), agent(2)], returning="rotate"), lead(known=2)).agent == 1

    def test_a_queue_rule_comes_before_the_agent_they_had(self):
        assert decided(snapshot([agent(1)], rules=[rule("cold", "queue")]), lead(known=1)).outcome is Outcome.QUEUED

    def test_rules_may_ask_whether_the_person_is_known(self):
        rules = [rule("known", when=condition("returning", "is", True)), rule("all", "queue")]
        world = snapshot([agent(1)], rules=rules)

        assert decided(world, lead(returning=True)).rule == "known"
        assert decided(world, lead()).rule == "all"


class TestRules:
    def test_only_the_first_of_two_rules_that_hold_acts(self):
        teams = [team(1, "a", [1]), team(2, "b", [2])]
        decision = decided(snapshot([agent(1), agent(2)], teams, [rule("x", "b"), rule("y", "a")]))

        assert (decision.agent, [pool.rule for pool in decision.pools]) == (2, ["x"])

    def test_an_inactive_rule_is_ignored(self):
        assert decided(snapshot([agent(1)], rules=[rule("off", "queue") | {"active": False}, rule("on")])).rule == "on"

    def test_score_makes_intent_and_rules_use_it(self):
        rules = [rule("hot", when=condition("intent", "is", "hot")), rule("rest", "queue")]
        scoring = [
            {"when": condition("page_path", "starts_with", "/pricing"), "points": 80},
            {"when": condition("email_domain", "is", "gmail.com"), "points": -10},
        ]
        world = snapshot([agent(1)], rules=rules, scoring=scoring)

        hot = decided(world, lead(page_path="/Pricing/pro"))
        still_hot = decided(world, lead(page_path="/pricing", email_domain="gmail.com"))

        assert (hot.rule, hot.score, hot.intent) == ("hot", 80, "hot")
        assert (still_hot.rule, still_hot.score) == ("hot", 70)
        assert decided(world, lead(email_domain="gmail.com")).intent == "cold"

    def test_weekday_time_and_hours_are_those_of_the_workspace(self):
        rules = [
            rule("weekend", "queue", when=condition("weekday", "in", ["sat", "sun"])),
            rule("night", "queue", when=condition("local_time", "between", ["22:00", "06:00"])),
            rule("open", when=condition("in_hours", "is", True)),
        ]
        world = snapshot([agent(1, shifts=office_hours())], rules=rules, zone="America/New_York", fallback=1)

        assert decided(world, at=datetime(2026, 3, 2, 4, 59, tzinfo=UTC)).rule == "weekend"
        assert decided(world, at=datetime(2026, 3, 2, 5, 0, tzinfo=UTC)).rule == "night"
        assert decided(world, at=datetime(2026, 3, 2, 11, 0, tzinfo=UTC)).rule == "open"
        assert decided(world, at=datetime(2026, 3, 2, 17, 0, tzinfo=UTC)).rule is None

    def test_pause_and_caps_do_not_matter_to_in_hours(self):
        world = snapshot([agent(1, paused=True)], rules=[rule("open", "queue", when=condition("in_hours", "is", True))])

        assert decided(world).rule == "open"
