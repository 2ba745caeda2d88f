"""What is wrong with a workspace file: told at its line and place, all at once, and nothing changed."""

import re
from datetime import UTC, datetime

import pytest

from agents.models import Agent, RosterChange, Site, Team, Workspace
from routing.models import PolicyVersion
from routing.workspace_file import BadFile, load

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

GOOD = """\
workspace:
  slug: acme
  name: Acme
  plan: scale
  timezone: Europe/Madrid
sites:
  - name: Main
    origins: ["https://www.example.com"]
    channels: [whatsapp]
agents:
  - slug: marta
    name: Marta
    handles: {whatsapp: +34600111222}
    shifts:
      - {days: [mon], start: 09:00, end: 18:00}
    time_off:
      - {from: 2026-08-01, to: 2026-08-16}
  - {slug: joao, name: João}
teams:
  - slug: iberia
    agents: [{agent: marta, weight: 3}, joao]
scoring:
  - {when: {all: [{field: page_path, op: is, value: /pricing}]}, points: 40}
rules:
  - name: Iberia
    when:
      any:
        - {field: country, op: in, value: [ES, PT]}
        - all:
            - {field: language, op: is, value: es}
    route:
      to: {team: iberia}
      if_nobody: hold
    sla: {respond_within: 5m}
  - name: Rest
    route: {to: queue}
"""


def load_text(text):
    return load(text.encode(), by=None, at=AT)


def faults(text):
    with pytest.raises(BadFile) as refused:
        load_text(text)
    return [str(problem) for problem in refused.value.problems]


def test_the_good_file_is_good():
    assert load_text(GOOD).changes


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        # the file's own shape
        ("sites:", "site:", "6: site: unknown key 'site' (did you mean 'sites'?)"),
        ("  timezone:", "  timezon:", "5: workspace.timezon: unknown key 'timezon' (did you mean 'timezone'?)"),
        ("    handles:", "    <<:", "13: agents[0].<<: unknown key '<<'"),
        ("  slug: acme\n", "", "1: workspace: 'slug' is missing"),
        ("    name: Marta\n", "", "11: agents[0]: 'name' is missing"),
        ("  - slug: iberia\n    agents", "  - agents", "20: teams[0]: 'slug' is missing"),
        ("  name: Acme", "  name: [Acme]", "3: workspace.name: expected a text, found a list"),
        ("  name: Acme", "  name:", "3: workspace.name: no value is given"),
        ("  name: Acme", "  name: ' '", "3: workspace.name: the text is empty"),
        ("  name: Acme", f"  name: {'x' * 121}", "3: workspace.name: Ensure this value has at most 120 characters"),
        ("channels: [whatsapp]", "channels: whatsapp", "9: sites[0].channels: expected a list, found a text"),
        # values
        ("slug: acme", "slug: ac me", "2: workspace.slug: A slug is letters"),
        ("plan: scale", "plan: gold", "4: workspace.plan: unknown value 'gold': use one of free, pro, scale"),
        ("Europe/Madrid", "Europe/Madird", "5: workspace.timezone: There is no time zone “Europe/Madird”"),
        ("plan: scale", "plan: scale\n  languages: []", "5: workspace.languages: the list is empty"),
        ("plan: scale", "plan: scale\n  languages: [es, xx]", "5: workspace.languages[1]: There is no language “xx”"),
        ("plan: scale", "plan: scale\n  public_attributes: [a b]", "5: workspace.public_attributes[0]: An attribute's"),
        ("https://www.example.com", "example.com", "8: sites[0].origins[0]: “example.com” is not an origin"),
        ("[whatsapp]", "[whatsap]", "9: sites[0].channels[0]: There is no channel “whatsap”. Did you mean whatsapp?"),
        ("  - name: Main", "  - name: Main\n    key: a b", "8: sites[0].key: 'a b' is no site key"),
        ("[whatsapp]", "[]\n    accent: blue", "10: sites[0].accent: “blue” is no colour. Write it like #1f5eff."),
        (
            "[whatsapp]",
            "[]\n    accent: ffee00",
            "7: sites[0]: Words in #ffffff on #ffee00 have a contrast of 1.2 to 1",
        ),
        ("[whatsapp]", "[]\n    side: top", "10: sites[0].side: unknown value 'top'"),
        ("[whatsapp]", "[]\n    fallback_url: javascript:x", "10: sites[0].fallback_url: This is no address to"),
        ("[whatsapp]", "[]\n    texts: {xx: {title: Hi}}", "10: sites[0].texts.xx: There is no language “xx”"),
        ("[whatsapp]", "[]\n    texts: {en: {tilte: Hi}}", "10: sites[0].texts.en.tilte: unknown key 'tilte'"),
        (
            "[whatsapp]",
            "[]\n    texts: {en: {launcher: " + "x" * 41 + "}}",
            "10: sites[0].texts.en.launcher: “Button” may",
        ),
        (
            "[whatsapp]",
            "[]\n    texts: Hi",
            "10: sites[0].texts: expected a mapping of languages to texts, found a text",
        ),
        ("{whatsapp:", "{skype:", "13: agents[0].handles.skype: Skype"),
        ("{whatsapp: +34600111222}", "{form: x}", "13: agents[0].handles.form: form needs no handle"),
        ("{whatsapp: +34600111222}", "{whatsapp: 12}", "13: agents[0].handles.whatsapp: "),
        ("{whatsapp: +34600111222}", "[x]", "13: agents[0].handles: expected a mapping of channels to handles"),
        (
            "days: [mon]",
            "days: [monday]",
            "15: agents[0].shifts[0].days[0]: unknown value 'monday' (did you mean 'mon'?)",
        ),
        ("days: [mon]", "days: []", "15: agents[0].shifts[0].days: the list is empty"),
        ("days: [mon], ", "", "15: agents[0].shifts[0]: 'days' is missing"),
        ("start: 09:00", "start: 9", "15: agents[0].shifts[0].start: '9' is no time of day"),
        ("start: 09:00", "start: 24:00", "15: agents[0].shifts[0]: a shift starts between 00:00 and 23:59"),
        ("start: 09:00", "start: 18:00", "15: agents[0].shifts[0]: start and end are equal"),
        ("end: 18:00", "end: 24:01", "15: agents[0].shifts[0].end: '24:01' is no time of day"),
        (
            "end: 18:00",
            "end: 18:00, kind: oncall",
            "15: agents[0].shifts[0].kind: unknown value 'oncall' (did you mean",
        ),
        ("from: 2026-08-01", "from: 2026-02-30", "17: agents[0].time_off[0].from: '2026-02-30' is no local time"),
        ("to: 2026-08-16", "to: 2026-08-01T00:00", "17: agents[0].time_off[0]: 'to' must be after 'from'"),
        ("to: 2026-08-16", "to: 2026-08-16T00:00Z", "17: agents[0].time_off[0].to: '2026-08-16T00:00Z' is no local"),
        ("name: João}", "name: João, active: maybe}", "18: agents[1].active: expected true or false, found 'maybe'"),
        ("name: João}", "name: João, caps: {open: 0}}", "18: agents[1].caps.open: 0 is not between 1 and"),
        ("name: João}", "name: João, caps: {opened: 1}}", "18: agents[1].caps.opened: unknown key 'opened' (did you"),
        ("name: João}", "name: João, territories: [UK]}", "18: agents[1].territories[0]: There is no country “UK”"),
        ("name: João}", "name: João, holidays: XX}", "18: agents[1].holidays: there is no holiday calendar 'XX'"),
        ("name: João}", "name: João, photo_url: 'http://x/'}", "18: agents[1].photo_url: Enter a valid URL"),
        ("name: João}", "name: João, email: joao}", "18: agents[1].email: Enter a valid email address"),
        ("weight: 3", "weight: -1", "21: teams[0].agents[0].weight: -1 is not between 0 and"),
        ("weight: 3", "tier: 0", "21: teams[0].agents[0].tier: 0 is not between 1 and"),
        ("weight: 3", "weight: 1.5", "21: teams[0].agents[0].weight: expected a whole number, found '1.5'"),
        # across the file
        ("slug: joao", "slug: marta", "18: agents[1].slug: 'marta' stands twice"),
        ("}, joao]", "}, marta]", "21: teams[0].agents[1]: 'marta' stands twice"),
        ("}, joao]", "}, jaoo]", "21: teams[0].agents[1]: there is no agent 'jaoo' (did you mean 'joao'?)"),
        ("plan: scale", "plan: scale\n  fallback_agent: bo", "5: workspace.fallback_agent: there is no agent 'bo'"),
        ("weight: 3}, joao]", "weight: 0}]", "21: teams[0].agents: All weights of this team are 0"),
        ("teams:\n", "teams:\n  - slug: iberia\n", "21: teams[1].slug: 'iberia' stands twice"),
        ("sites:\n", "sites:\n  - {name: Main}\n", "8: sites[1].name: 'Main' stands twice"),
        # the policy
        ("field: country", "field: contry", "28: rules[0].when: unknown field 'contry' (did you mean 'country'?)"),
        ("op: is, value: es", "op: iss, value: es", "30: rules[0].when: unknown operator 'iss' (did you mean 'is'?)"),
        ("field: page_path", "field: score", "23: scoring[0].when: scoring makes score and intent"),
        ("points: 40", "points: many", "23: scoring[0].points: expected a whole number, found 'many'"),
        ("value: [ES, PT]", "value: []", "28: rules[0].when: the list must have between 1 and"),
        ("op: in, value: [ES, PT]}", "op: in, value: }", "28: rules[0].when: no value is given"),
        (
            "team: iberia",
            "team: ibera",
            "32: rules[0].route.to.team: there is no team 'ibera' (did you mean 'iberia'?)",
        ),
        ("team: iberia", "agent: jao", "32: rules[0].route.to.agent: there is no agent 'jao' (did you mean 'joao'?)"),
        ("if_nobody: hold", "if_nobody: wait", "33: rules[0].route.if_nobody: unknown choice 'wait'"),
        ("if_nobody: hold", "by: claim", "33: rules[0].route.by: 'claim' is only for rules whose conditions limit"),
        ("respond_within: 5m", "respond_within: soon", "34: rules[0].sla.respond_within: 'soon' is no duration"),
        ("name: Rest", "name: Iberia", "35: rules[1].name: rule 0 is called 'Iberia' already"),
        ("{to: queue}", "{to: queue, by: round_robin}", "36: rules[1].route.by: 'by' means nothing with `to: queue`"),
        ("    route: {to: queue}\n", "", "35: rules[1]: 'route' is missing"),
        ("plan: scale", "plan: scale\n  returning: same", "5: workspace.returning: unknown choice 'same'"),
        ("plan: scale", "plan: scale\n  join_window: 1y", "5: workspace.join_window: '1y' is no duration"),
        ("plan: scale", "plan: scale\n  intent: {hot: 1, warm: 2}", "5: workspace.intent: hot must not be below warm"),
    ],
)
def test_is_told_at_its_line_and_place(right, wrong, fault):
    assert GOOD.count(right) == 1

    told = faults(GOOD.replace(right, wrong))

    assert [line for line in told if line.startswith(fault)], told


def test_everything_is_told_in_one_run_in_the_order_of_lines():
    text = GOOD
    for right, wrong in [
        ("field: country", "field: contry"),
        ("Europe/Madrid", "Mars/Base"),
        ("days: [mon]", "days: [x, mon, y]"),
        ("}, joao]", "}, bo]"),
        ("points: 40", "points: x"),
        ("respond_within: 5m", "respond_withn: 5m"),
    ]:
        text = text.replace(right, wrong)

    told = faults(text)

    lines = [int(re.match(r"\d+", line)[0]) for line in told]
    assert lines == sorted(lines)
    assert {5, 15, 21, 23, 28, 34} <= set(lines)
    assert lines.count(15) == 2


def test_changes_nothing_of_what_was_there():
    load_text(GOOD)
    before = (RosterChange.objects.count(), PolicyVersion.objects.count(), Site.objects.values_list("key").get())

    faults(GOOD.replace("name: Marta", "name: Maria").replace("field: country", "field: contry"))

    assert (
        RosterChange.objects.count(),
        PolicyVersion.objects.count(),
        Site.objects.values_list("key").get(),
    ) == before
    assert Agent.objects.get(slug="marta").name == "Marta"


def test_a_rule_may_not_name_a_team_that_the_file_drops():
    load_text(GOOD)

    (fault,) = faults(GOOD.replace("slug: iberia", "slug: iberica"))

    assert fault.startswith("32: rules[0].route.to.team: there is no team 'iberia'")


class TestPlans:
    @pytest.mark.parametrize(
        ("plan", "fault"),
        [
            ("pro", "23: scoring[0]: Scoring rules: not in the Pro plan. The Scale plan has this."),
            ("pro", "34: rules[0].sla: SLA ladders: not in the Pro plan. The Scale plan has this."),
            ("free", "26: rules[0].when: Conditions in rules: not in the Free plan. The Pro plan has this."),
        ],
    )
    def test_do_not_have_every_rule(self, plan, fault):
        assert fault in faults(GOOD.replace("plan: scale", f"plan: {plan}"))

    def test_limit_agents_and_teams_of_the_free_one(self):
        told = faults(
            "workspace: {slug: f, name: F}\n"
            "agents: [{slug: a, name: A}, {slug: b, name: B}, {slug: c, name: C}]\n"
            "teams: [{slug: s}, {slug: t, catch_up: 1}]\n"
        )

        assert [line.split(",")[0] for line in told] == [
            "2: agents: The Free plan has 2 active agents",
            "3: teams[1].catch_up: Catching up after an absence: not in the Free plan. The Scale plan has this.",
            "3: teams: The Free plan has 1 team",
        ]

    def test_count_active_agents_only(self):
        load_text(
            "workspace: {slug: f, name: F}\n"
            "agents: [{slug: a, name: A}, {slug: b, name: B}, {slug: c, name: C, active: false, caps: {open: 1}}]\n"
        )

        assert Agent.objects.count() == 3

    def test_refuse_caps_where_they_have_none(self):
        assert faults("workspace: {slug: f, name: F}\nagents: [{slug: a, name: A, caps: {day: 3}}]\n") == [
            "2: agents[0].caps: Caps: not in the Free plan. The Pro plan has this."
        ]

    def test_are_not_lowered_below_what_the_file_leaves_alone(self):
        load_text(GOOD)

        told = faults("workspace:\n  slug: acme\n  name: Acme\n  plan: pro\n")

        assert told
        assert all(line.startswith("4: workspace.plan: ") for line in told)
        assert Workspace.objects.get().plan == "scale"

    def test_let_a_full_one_be_exchanged_in_one_file(self):
        load_text("workspace: {slug: f, name: F}\nagents: [{slug: a, name: A}]\nteams: [{slug: s}]\n")

        load_text(
            "workspace: {slug: f, name: F}\nagents: [{slug: b, name: B}, {slug: c, name: C}]\nteams: [{slug: t}]\n"
        )

        assert list(Team.objects.values_list("slug", flat=True)) == ["t"]
