"""What cannot be right about a policy, found while it is written."""

from routing.engine import AgentSpec, Member, RosterSpec, TeamSpec
from routing.engine.hours import Kind, ShiftSpec
from routing.facts import language_tag
from routing.lint import Weight, lint
from routing.rulebook import DEFAULTS, normalise_policy
from tests.leads.world import only, rule

REGULAR = ShiftSpec(0, 540, 1080, Kind.REGULAR)


def agent(number=1, *, languages=("es",), channels=("whatsapp",), shifts=(REGULAR,), **given):
    tags = tuple(map(language_tag, languages))
    slug = f"a{number}"
    return AgentSpec(number, slug, slug.title(), languages=tags, channels=frozenset(channels), shifts=shifts, **given)


def remarks(*rules, agents=None, members=None, archived=False, fallback=None, scoring=(), **given):
    agents = agents or (agent(),)
    places = members if members is not None else tuple(Member(one.id) for one in agents)
    roster = RosterSpec(
        agents={one.id: one for one in agents},
        teams={1: TeamSpec(1, "sales", "Sales", places, archived=archived)},
        fallback=fallback,
    )
    document = normalise_policy({**DEFAULTS, "rules": list(rules), "scoring": list(scoring)}, roster_names=None)
    return lint(document, roster, **given)


def texts(*rules, **given):
    return [remark.text for remark in remarks(*rules, **given)]


class TestReaching:
    def test_a_rule_below_one_that_takes_every_lead_is_never_reached(self):
        found = remarks(rule("all", "queue"), rule("Spain", when=only("country", "ES")))

        assert [(one.rule, one.weight, one.above) for one in found] == [(1, Weight.WRONG, 0)]
        assert "rule 1 “all” takes every such lead first" in found[0].text

    def test_a_rule_below_one_that_hands_leads_on_gets_what_that_leaves(self):
        found = remarks(rule("all"), rule("Spain", when=only("country", "ES")))

        assert [(one.rule, one.weight, one.above) for one in found] == [(1, Weight.NOTE, 0)]

    def test_a_fallback_keeps_leads_only_where_there_is_one(self):
        rules = rule("all", if_nobody="fallback"), rule("Spain", when=only("country", "ES"))

        assert [one.weight for one in remarks(*rules, fallback=1) if one.rule == 1] == [Weight.WRONG]
        assert [one.weight for one in remarks(*rules) if one.rule == 1] == [Weight.NOTE]

    def test_a_rule_that_is_off_hides_nothing(self):
        assert texts({**rule("all", "queue"), "active": False}, rule("Spain", when=only("country", "ES"))) == []

    def test_conditions_that_exclude_each_other_never_hold(self):
        when = {"all": [*only("country", "ES")["all"], *only("country", "PT")["all"]]}

        assert texts(rule("both", when=when)) == ["This never holds: its conditions exclude each other."]


class TestPeople:
    def test_a_team_without_anybody_is_named(self):
        sentence = "Nobody of team Sales takes leads: it is empty, archived, or all in it are inactive."

        assert texts(rule("one"), members=()) == [sentence]
        assert texts(rule("one"), archived=True) == [sentence]
        assert texts(rule("one"), agents=(agent(active=False),)) == [sentence]
        assert texts(rule("one"), members=(Member(1, weight=0),)) == [sentence]

    def test_nobody_with_the_language_or_the_channel_is_named(self):
        when = {"all": [*only("language", ["es-MX", "fr"], "in")["all"], *only("channel", "telegram")["all"]]}

        assert texts(rule("one", require=["language"], when=when)) == [
            "Nobody of team Sales can be reached on Telegram.",
            "Nobody of team Sales speaks French.",
        ]

    def test_nobody_for_the_country_or_with_the_tag_is_named(self):
        found = texts(
            rule("one", require=["territory", "tags:senior"], when=only("country", ["ES", "FR"], "in")),
            agents=(agent(territories=frozenset({"ES-MD"})),),
        )

        assert found == ["Nobody of team Sales is for France.", "Nobody of team Sales has the tag “senior”."]

    def test_people_without_shifts_are_never_there(self):
        assert texts(rule("one"), agents=(agent(shifts=()),)) == [
            "Nobody of team Sales has shifts, so nobody is ever there. Enter their hours."
        ]

    def test_whoever_is_asked_if_nobody_is_there_must_be_somebody(self):
        assert "Nobody of team Sales is ever on call" in texts(rule("one", if_nobody="on_call"))[0]
        assert "There is no active fallback agent" in texts(rule("one", if_nobody="fallback"))[0]
        assert texts(rule("one", if_nobody="fallback"), fallback=1) == []

    def test_one_agent_who_is_inactive_is_named(self):
        assert texts(rule("one", "agent:a1"), agents=(agent(active=False),)) == [
            "A1 is not active, so this rule finds nobody."
        ]
        assert texts(rule("one", "agent:a1", require=["language"], when=only("language", "fr"))) == [
            "A1 does not speak French."
        ]

    def test_what_is_right_is_not_remarked_upon(self):
        assert texts(rule("one", require=["language", "channel"], when=only("language", "es"))) == []


class TestConditions:
    def test_on_a_city_tell_that_nobody_looks_it_up(self):
        assert "No city database is set" in texts(rule("one", when=only("city", "Madrid")), city_known=False)[0]
        assert texts(rule("one", when=only("city", "Madrid"))) == []

    def test_on_intent_need_points(self):
        hot = rule("one", when=only("intent", "hot"))

        assert "Nothing gives points yet" in texts(hot)[0]
        assert texts(hot, scoring=[{"points": 10}]) == []
