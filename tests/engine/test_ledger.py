"""Turns: the due-share ledger, by its laws and by its figures."""

from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine.ledger import EVEN, Entry, Ledger, U, take_turn
from tests.examples import times

people = st.integers(1, 8)
weights = st.lists(st.integers(1, 60), min_size=1, max_size=9)


def run(ledger, takers, leads, **more):
    """Take a number of turns among the same takers: who got them, and the ledger after."""
    received = []
    for _ in range(leads):
        turn = take_turn(ledger, takers, **more)
        ledger = ledger.after(turn)
        received.append(turn.chosen)
    return received, ledger


def takers_of(weights):
    return list(enumerate(weights, start=1))


def longest_run(received, agent):
    longest = current = 0
    for chosen in received:
        current = current + 1 if chosen == agent else 0
        longest = max(longest, current)
    return longest


class TestFigures:
    def test_five_equal_agents_get_one_each_and_the_sixth_goes_to_the_first(self):
        received, _ = run(EVEN, takers_of([1] * 5), 6)

        assert sorted(received[:5]) == [1, 2, 3, 4, 5]
        assert received[5] == received[0]

    def test_weights_five_one_one_over_seven_leads(self):
        received, _ = run(EVEN, takers_of([5, 1, 1]), 70)

        assert Counter(received[:7]) == {1: 5, 2: 1, 3: 1}
        assert longest_run(received, 1) < 4

    def test_weights_are_shares_whatever_their_scale(self):
        assert Counter(run(EVEN, takers_of([200, 100, 100]), 60)[0]) == {1: 30, 2: 15, 3: 15}
        assert Counter(run(EVEN, takers_of([50, 100, 100]), 30)[0]) == {1: 6, 2: 12, 3: 12}
        assert run(EVEN, takers_of([100, 100, 50]), 50)[0] == run(EVEN, takers_of([2, 2, 1]), 50)[0]

    def test_leads_that_some_cannot_take_are_shared_by_who_can(self):
        ledger, received = EVEN, Counter()
        for number in range(600):
            turn = take_turn(ledger, takers_of([1, 1, 1]) if number % 2 == 0 else [(2, 1), (3, 1)])
            ledger = ledger.after(turn)
            received[turn.chosen] += 1

        assert received == {1: 100, 2: 250, 3: 250}

    def test_changed_weights_change_the_future_only(self):
        _, ledger = run(EVEN, takers_of([1, 1]), 100)

        assert Counter(run(ledger, takers_of([3, 1]), 40)[0]) == {1: 30, 2: 10}

    def test_whoever_returns_is_not_flooded(self):
        _, ledger = run(EVEN, takers_of([1, 1]), 60)
        received, _ = run(ledger, takers_of([1, 1, 1]), 30)

        assert Counter(received)[3] == 10
        assert longest_run(received, 3) == 1

    def test_a_newcomer_starts_at_an_even_share(self):
        _, ledger = run(EVEN, takers_of([1, 1, 1]), 300)

        assert Counter(run(ledger, takers_of([1, 1, 1, 1]), 40)[0])[4] == 10

    def test_catch_up_gives_what_was_missed_by_and_by(self):
        _, ledger = run(EVEN, takers_of([1, 1]), 60, away=[(3, 1)], catch_up=3)
        received, ledger = run(ledger, takers_of([1, 1, 1]), 30, catch_up=3)
        then, _ = run(ledger, takers_of([1, 1, 1]), 30, catch_up=3)

        assert Counter(received)[3] == 13
        assert longest_run(received, 3) == 2
        assert Counter(then)[3] == 10

    def test_catch_up_counts_no_more_than_it_allows(self):
        _, ledger = run(EVEN, takers_of([1, 1]), 200, away=[(3, 1)], catch_up=2)

        assert ledger.of(3) == Entry(credit=0, last_turn=0, owed=2 * U)

    def test_an_agent_without_an_entry_and_one_who_is_gone_disturb_nobody(self):
        ledger = Ledger({9: Entry(-U // 2, 4), 1: Entry(U // 2, 3)}, 4)
        received, after = run(ledger, takers_of([1, 1]), 20)

        assert abs(received.count(1) - received.count(2)) <= 2
        assert after.of(9) == Entry(-U // 2, 4)

    def test_a_day_of_leads_given_back_at_night_floods_nobody_in_the_morning(self):
        ledger = EVEN
        for given_back_of_ten in (3, 5, 7) * 4:
            turns = []
            for _ in range(200):
                turn = take_turn(ledger, takers_of([1] * 5))
                ledger = ledger.after(turn)
                turns.append(turn)
            for number, turn in enumerate(turns):
                if number * 7 % 10 < given_back_of_ten:
                    ledger = ledger.giving_back(turn) or ledger
            assert max(entry.credit for entry in ledger.entries.values()) <= U
            morning, _ = run(ledger, takers_of([1] * 5), 60)
            assert all(longest_run(morning, agent) < 3 for agent in range(1, 6))


class TestLaws:
    @given(weights=weights, leads=st.integers(1, 120))
    def test_everybody_is_within_one_lead_of_their_share_at_every_prefix(self, weights, leads):
        takers, received, ledger = takers_of(weights), Counter(), EVEN
        for done in range(1, leads + 1):
            turn = take_turn(ledger, takers)
            ledger = ledger.after(turn)
            received[turn.chosen] += 1
            for agent, weight in takers:
                assert abs(received[agent] - Fraction(done * weight, sum(weights))) < 1

    @given(st.data())
    def test_credits_sum_to_zero_whatever_happens(self, data):
        ledger, turns = EVEN, []
        for _ in range(data.draw(st.integers(1, 60))):
            if turns and data.draw(st.integers(0, 3)) == 0:
                turn = turns.pop(data.draw(st.integers(0, len(turns) - 1)))
                ledger = ledger.giving_back(turn) or ledger
            else:
                there = data.draw(st.dictionaries(people, st.integers(1, 9), min_size=1))
                away = data.draw(st.dictionaries(people, st.integers(1, 9), max_size=2))
                away = [place for place in away.items() if place[0] not in there]
                turn = take_turn(ledger, list(there.items()), away=away, catch_up=data.draw(st.integers(0, 3)))
                ledger = ledger.after(turn)
                turns.append(turn)
            assert sum(entry.credit for entry in ledger.entries.values()) == 0
            assert all(0 <= entry.owed <= 3 * U for entry in ledger.entries.values())

    @given(weights=weights, leads=st.integers(0, 40), order=st.randoms(use_true_random=False))
    def test_the_order_in_which_takers_are_named_does_not_matter(self, weights, leads, order):
        takers = takers_of(weights)
        _, ledger = run(EVEN, takers, leads)
        shuffled = takers[:]
        order.shuffle(shuffled)

        assert take_turn(ledger, shuffled).chosen == take_turn(ledger, takers).chosen

    @given(weights=weights, leads=st.integers(0, 40))
    def test_giving_a_turn_back_at_once_restores_every_credit(self, weights, leads):
        _, ledger = run(EVEN, takers_of(weights), leads)
        turn = take_turn(ledger, takers_of(weights))
        back = ledger.after(turn).giving_back(turn)

        if back is not None:
            assert {agent: entry.credit for agent, entry in back.entries.items() if entry.credit} == {
                agent: entry.credit for agent, entry in ledger.entries.items() if entry.credit
            }
        else:
            assert ledger.of(turn.chosen).credit > U

    @given(weights=weights, leads=st.integers(1, 40))
    def test_the_chosen_pays_what_the_takers_are_given(self, weights, leads):
        _, ledger = run(EVEN, takers_of(weights), leads)
        turn = take_turn(ledger, takers_of(weights))

        assert turn.paid == sum(share for _, share in turn.given)
        assert dict(turn.given) == {agent: weight * U // sum(weights) for agent, weight in takers_of(weights)}


def first_by_definition(standings, takers, ledger):
    """Tijdeman's rule with fractions: of whoever may take a turn, the earliest deadline; if nobody may, most credit."""
    m = 2 * len(takers) - 2
    ranked = []
    for agent, weight in takers:
        tie = (-weight, ledger.of(agent).last_turn, agent)
        may = m * standings[agent] >= U
        ranked.append(
            (not may, Fraction((m - 1) * U - m * standings[agent], weight) if may else -standings[agent], tie)
        )
    return min(ranked)[2][2]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-2, 6), st.integers(0, 2)), min_size=2, max_size=5))
@settings(max_examples=times(10))
def test_the_choice_is_that_of_the_definition(drawn):
    """Standings are few, so that many are equal, and many just enough."""
    takers = [(agent, weight) for agent, (weight, _, _) in enumerate(drawn, 1)]
    m, total = 2 * len(drawn) - 2, sum(weight for _, weight in takers)
    standings = {agent: steps * U // (2 * m) for agent, (_, steps, _) in enumerate(drawn, 1)}
    ledger = Ledger(
        {
            agent: Entry(standings[agent] - weight * U // total, last)
            for (agent, weight), (_, _, last) in zip(takers, drawn, strict=True)
        },
        9,
    )

    assert take_turn(ledger, takers).chosen == first_by_definition(standings, takers, ledger)
