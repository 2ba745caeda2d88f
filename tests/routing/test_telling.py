"""Who gets a lead and why, and for everybody else why not, in sentences."""

from datetime import timedelta

import pytest

from routing.engine import Ledger, Load, Roster, RosterSpec, Snapshot, compile_policy
from routing.engine.ledger import Entry, U
from routing.engine.walk import walk
from routing.rulebook import DEFAULTS, normalise_policy
from routing.telling import tell, why_not
from routing.trying import Trial
from tests.engine.world import ALWAYS, NOON, agent, lead, office_hours, rule, team


def trial(*rules, agents, members=None, loads=None, ledger=None, fallback=None):
    document = normalise_policy({**DEFAULTS, "rules": list(rules)}, roster_names=None)
    members = [one.id for one in agents] if members is None else members
    teams = {1: team(1, "sales", members)}
    roster = Roster.compile(RosterSpec(agents={one.id: one for one in agents}, teams=teams, fallback=fallback))
    loads, ledgers = loads or {}, {1: ledger} if ledger else {}
    walked = walk(lead(country="ES"), Snapshot(compile_policy(document, 1), roster), loads, ledgers, NOON)
    return Trial(walked, document, roster, loads, ledgers, NOON)


def said(trial):
    """What is said of each who was asked last."""
    return {person.id: person.said for pool in tell(trial).asked for person in pool.people}


def test_each_reason_is_a_sentence_with_its_own_figures():
    away = (NOON.replace(tzinfo=None) - timedelta(hours=1), NOON.replace(tzinfo=None) + timedelta(hours=2))
    people = [
        agent(1),
        agent(2, shifts=office_hours("14:00", "18:00")),
        agent(3, shifts=office_hours("09:00", "11:00")),
        agent(4, shifts=()),
        agent(5, time_off=[away]),
        agent(6, paused=True),
        agent(7, caps={"open": 3}),
        agent(8, languages=["fr"]),
        agent(9, channels=["telegram"]),
        agent(10, active=False),
        agent(11, caps={"day": 2}),
    ]
    loads = {7: Load(open=3), 11: Load(day_key="2026-03-02", day=2)}

    assert said(trial(rule("all", require=["language"]), agents=people, loads=loads)) == {
        1: "gets it",
        2: "off shift until 14:00",
        3: "off shift until Tuesday 09:00",
        4: "has no shifts",
        5: "time off until 14:00",
        6: "has paused",
        7: "has 3 of 3 open leads",
        8: "does not speak English",
        9: "has no WhatsApp",
        10: "is not active",
        11: "had 2 of 2 today",
    }


def test_whose_turn_it_was_is_told_in_leads():
    entries = {1: Entry(int(0.5 * U)), 2: Entry(int(0.1 * U)), 3: Entry(int(-0.6 * U))}
    three = trial(rule("all"), agents=[agent(1), agent(2), agent(3)], ledger=Ledger(entries, 0))

    told = tell(three)

    assert told.because == "It fits rule 1 “all”. It is their turn in team sales."
    assert [person.id for person in told.asked[0].people] == [1, 2, 3]
    assert said(three)[2] == "0.40 leads behind in turns"
    assert said(three)[3] == "1.10 leads behind in turns"


def test_the_least_busy_is_told_in_open_leads():
    two = trial(rule("all", by="least_busy"), agents=[agent(1), agent(2)], loads={1: Load(open=5), 2: Load(open=1)})

    assert tell(two).because.endswith("They have the fewest open leads of team sales.")
    assert said(two)[1] == "4 more open leads"


def test_a_held_lead_is_told_with_when_somebody_is_there():
    held = trial(rule("all", if_nobody="hold"), agents=[agent(1, shifts=office_hours("14:00", "18:00"))])

    assert tell(held).headline == "It is held until 14:00"
    assert tell(held).tone == "wait"


@pytest.mark.parametrize(
    ("target", "headline", "because"),
    [
        ("queue", "It goes to the nurture queue", "The rule says so."),
        ("agent:a1", "a1 gets it on WhatsApp", "The rule names them, and they are there."),
    ],
)
def test_what_the_rule_says_is_told_as_such(target, headline, because):
    nowhere = rule("this", when={"all": [{"field": "country", "op": "is", "value": "FR"}]})

    told = tell(trial(nowhere, rule("that", target), agents=[agent(1)]))

    assert (told.headline, told.because) == (headline, f"It fits rule 2 “that”. {because}")
    assert [step.failures for step in told.before] == [("country is France, but it is Spain",)]


def test_why_not_is_answered_for_every_place_where_somebody_could_have_got_it():
    french = rule("French", when={"all": [{"field": "country", "op": "is", "value": "FR"}]})
    asked = trial(french, rule("all"), rule("below"), agents=[agent(1), agent(2, shifts=()), agent(3)], members=[1, 2])

    assert why_not(asked, 2) == [
        "Rule 1 “French” would ask them, but does not hold: country is France, but it is Spain.",
        "Rule 2 “all” asked them: has no shifts.",
        "Rule 3 “below” would ask them too, but a rule above it acted.",
    ]
    assert why_not(asked, 3) == []
    assert why_not(asked, 1)[0].startswith("They got it.")


def test_without_a_rule_the_end_of_the_list_is_told():
    told = tell(trial(agents=[agent(1, shifts=ALWAYS)], fallback=1))

    assert told.headline == "a1 gets it, as the fallback agent"
    assert told.because.startswith("No rule fits this lead.")
