"""Rules as managers write them, and publishing."""

import pytest

from agents.models import Agent, Team, Workspace
from agents.workspace_stamp import stamp
from routing.models import Draft, PolicyVersion, Rule, ScoringRule
from routing.policy_changes import ChangeKind, policy_changes, rule_states
from routing.publishing import draft_document, published_version
from routing.rulebook import DEFAULTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def ws(acme):
    """Acme, with an empty draft and nothing published."""
    Rule.objects.for_workspace(acme.workspace).delete()
    ScoringRule.objects.for_workspace(acme.workspace).delete()
    Workspace.objects.filter(pk=acme.workspace.pk).update(policy_version=0)
    return Workspace.objects.get(pk=acme.workspace.pk)


@pytest.fixture
def team(acme):
    return acme.rows[Team][0]


@pytest.fixture
def save(as_manager, ws):
    def post(path, *conditions, **data):
        rows = {"when-TOTAL_FORMS": str(len(conditions)), "when-INITIAL_FORMS": str(data.pop("initial", 0))}
        for place, condition in enumerate(conditions):
            group, field, op, value, *attribute = condition
            rows |= {
                f"when-{place}-group": group,
                f"when-{place}-field": field,
                f"when-{place}-op": op,
                f"when-{place}-value": value,
                f"when-{place}-attribute": attribute[0] if attribute else "",
            }
        return as_manager.post(f"/admin/routing/{path}/", {**rows, "_workspace": stamp(ws), **data})

    return post


@pytest.fixture
def save_rule(save, team):
    def post(*conditions, name="Iberia", **data):
        given = {"to_kind": "team", "team": team.pk, "by": "round_robin", "if_nobody": "next_rule", "is_active": "on"}
        return save("rule/add", *conditions, name=name, **{**given, **data})

    return post


def rule_named(name="Iberia"):
    return Rule.objects.get(name=name)


def row_errors(response, place=0):
    return response.context["adminform"].form.conditions.forms[place].errors


class TestConditions:
    def test_of_one_group_must_all_hold(self, save_rule):
        response = save_rule(("1", "country", "in", "es, pt"), ("1", "language", "is", "ES"), ("", "", "is", ""))

        assert response.status_code == 302
        assert rule_named().when == {
            "all": [
                {"field": "country", "op": "in", "value": ["ES", "PT"]},
                {"field": "language", "op": "is", "value": "es"},
            ]
        }

    def test_of_several_groups_any_is_enough(self, save_rule):
        save_rule(
            ("2", "intent", "is", "hot"),
            ("1", "country", "is", "ES"),
            ("1", "local_time", "between", "9:00 – 24:00"),
            ("3", "score", "between", "10, 20"),
        )

        assert rule_named().when == {
            "any": [
                {
                    "all": [
                        {"field": "country", "op": "is", "value": "ES"},
                        {"field": "local_time", "op": "between", "value": ["09:00", "24:00"]},
                    ]
                },
                {"field": "intent", "op": "is", "value": "hot"},
                {"field": "score", "op": "between", "value": [10, 20]},
            ]
        }

    def test_may_be_none(self, save_rule):
        assert save_rule(("1", "", "is", "")).status_code == 302
        assert rule_named().when is None

    def test_take_attributes_by_name_and_values_with_commas(self, save_rule):
        save_rule(("1", "attributes.", "in", '"Acme, Inc", Solana', "company"), ("1", "returning", "is", "yes"))

        assert rule_named().when["all"] == [
            {"field": "attributes.company", "op": "in", "value": ["Acme, Inc", "Solana"]},
            {"field": "returning", "op": "is", "value": True},
        ]

    @pytest.mark.parametrize(
        ("condition", "column", "sentence"),
        [
            (("1", "country", "is", "Spanien"), "value", "There is no country"),
            (("1", "country", "in", ""), "value", "Choose at least one"),
            (("1", "city", "in", ""), "value", "Write what it is compared with"),
            (("1", "country", "in", "ES, XX"), "value", "There is no country"),
            (("1", "country", "is", ""), "value", "Choose at least one"),
            (("1", "country", "contains", "E"), "op", "does not apply to 'country'"),
            (("1", "", "is", "ES"), "field", "The condition has no field"),
            (("1", "message", "matches", "(?=x)"), "value", "The pattern does not compile"),
            (("1", "local_time", "between", "09:00"), "value", "takes two values"),
            (("1", "attributes.", "is", "x", "a b"), "attribute", "An attribute's name is"),
            (("0", "country", "is", "ES"), "group", "greater than or equal to 1"),
            (("1", "made_up", "is", "ES"), "field", "Select a valid choice"),
        ],
    )
    def test_say_at_the_row_what_is_wrong_and_keep_what_was_typed(self, save_rule, condition, column, sentence):
        response = save_rule(("1", "language", "is", "es"), condition)

        assert response.status_code == 200
        assert sentence in " ".join(row_errors(response, 1)[column])
        assert not row_errors(response, 0)
        assert '<option value="es" selected' in response.content.decode()
        assert not Rule.objects.filter(name="Iberia").exists()

    def test_are_chosen_from_lists_or_typed_by_name(self, save_rule):
        save_rule(
            ("1", "country", "is", ["ES", "PT"]),
            ("1", "language", "is_not", "French, it"),
            ("1", "weekday", "is", ["sat"]),
        )

        assert rule_named().when["all"] == [
            {"field": "country", "op": "in", "value": ["ES", "PT"]},
            {"field": "language", "op": "not_in", "value": ["fr", "it"]},
            {"field": "weekday", "op": "is", "value": "sat"},
        ]

    def test_are_shown_as_they_were_typed(self, save_rule, as_manager):
        save_rule(("1", "country", "in", "ES, PT"), ("2", "local_time", "between", "09:00 – 18:00"))
        rule = rule_named()

        page = as_manager.get(f"/admin/routing/rule/{rule.pk}/change/")
        shown = [form for _number, rows in page.context["adminform"].form.conditions.sets for form in rows]

        assert [(form.shown_op, form.control["kind"]) for form in shown] == [("is", "pick"), ("between", "time")]
        assert [form["value"].value() for form in shown] == [["ES", "PT"], ["09:00", "18:00"]]

    def test_that_nobody_touched_stay_as_a_file_wrote_them(self, save, ws, team):
        when = {"any": [{"all": [{"field": "country", "op": "is", "value": "ES"}]}]}
        rule = Rule.objects.create(workspace=ws, name="Iberia", team=team, when=when)

        response = save(
            f"rule/{rule.pk}/change",
            ("1", "country", "is", "ES"),
            initial=1,
            name="Renamed",
            to_kind="team",
            team=team.pk,
            by="round_robin",
            if_nobody="hold",
            is_active="on",
        )

        assert response.status_code == 302
        rule.refresh_from_db()
        assert (rule.name, rule.when, rule.if_nobody) == ("Renamed", when, "hold")

    def test_keep_the_order_of_their_values_though_a_list_has_another(self, save, ws, team):
        when = {"all": [{"field": "country", "op": "in", "value": ["PT", "ES"]}]}
        rule = Rule.objects.create(workspace=ws, name="Iberia", team=team, when=when)
        said = {"name": "Iberia", "to_kind": "team", "team": team.pk, "by": "round_robin", "if_nobody": "hold"}

        save(f"rule/{rule.pk}/change", ("1", "country", "is", ["ES", "FR", "PT"]), initial=1, **said)

        rule.refresh_from_db()
        assert rule.when["all"][0]["value"] == ["PT", "ES", "FR"]

    def test_are_removed(self, save, ws, team):
        rule = Rule.objects.create(
            workspace=ws, name="A", team=team, when={"all": [{"field": "country", "op": "is", "value": "ES"}]}
        )
        save(
            f"rule/{rule.pk}/change",
            ("1", "country", "is", "ES"),
            initial=1,
            **{"when-0-DELETE": "on"},
            name="A",
            to_kind="team",
            team=team.pk,
            by="round_robin",
            if_nobody="next_rule",
        )

        rule.refresh_from_db()
        assert rule.when is None


class TestRule:
    def test_carries_wishes_in_order_and_a_promise(self, save_rule, acme):
        response = save_rule(
            require=["channel", f"tags:{acme.marker}"],
            prefer=["territory", "", "language"],
            sla_respond_within="5m",
            sla_remind_at="80%, 50",
            sla_reroute_after="1h30m",
            sla_clock="covered",
        )

        assert response.status_code == 302
        rule = rule_named()
        assert (rule.require, rule.prefer) == (["channel", f"tags:{acme.marker}"], ["territory", "language"])
        assert rule.sla == {
            "respond_within": 300,
            "remind_at": [50, 80],
            "reroute_after": 5400,
            "max_reroutes": 3,
            "clock": "covered",
        }

    @pytest.mark.parametrize(
        ("data", "field", "sentence"),
        [
            ({"team": ""}, "team", "Choose where the rule sends leads"),
            ({"name": ""}, "name", "This field is required"),
            ({"by": "claim"}, "by", "limit channel to form"),
            ({"sla_respond_within": "soon"}, "sla_respond_within", "Write a length of time"),
            ({"sla_remind_at": "50%"}, "sla_remind_at", "is a share of"),
            ({"sla_remind_at": "150%"}, "sla_remind_at", "between 1 and 100"),
            ({"sla_max_reroutes": "3"}, "sla_max_reroutes", "means nothing without"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, save_rule, data, field, sentence):
        response = save_rule(**data)

        assert sentence in " ".join(response.context["adminform"].form.errors[field])

    def test_of_a_name_that_exists_is_refused_at_the_name(self, save_rule):
        save_rule()

        assert "There is a rule with this name already" in str(save_rule().context["adminform"].form.errors["name"])

    def test_may_go_to_the_queue_or_to_one_agent(self, save_rule, acme):
        save_rule(name="Queue", to_kind="queue", require=["language"], prefer=["language"])
        save_rule(name="Agent", to_kind="agent", agent=acme.rows[Agent][0].pk)

        assert (rule_named("Queue").team, rule_named("Queue").require) == (None, [])
        assert (rule_named("Agent").team, rule_named("Agent").agent) == (None, acme.rows[Agent][0])

    def test_over_the_plan_says_so_at_the_field(self, save_rule, ws):
        Workspace.objects.filter(pk=ws.pk).update(plan="pro")

        response = save_rule(sla_respond_within="5m")

        assert "not in the Pro plan" in str(response.context["adminform"].form.errors["sla_respond_within"])

    def test_goes_to_the_end_and_is_moved_up_and_down(self, save, save_rule, as_manager, ws):
        for name in ("A", "B", "C"):
            save_rule(name=name)

        def order():
            return list(Rule.objects.for_workspace(ws).values_list("name", flat=True))

        assert order() == ["A", "B", "C"]
        assert save("rule/move", up=rule_named("C").pk).status_code == 302
        assert order() == ["A", "C", "B"]
        save("rule/move", down=rule_named("A").pk)
        assert order() == ["C", "A", "B"]
        save("rule/move", up=rule_named("C").pk)
        assert order() == ["C", "A", "B"]
        assert as_manager.get("/admin/routing/rule/move/").status_code == 405

    def test_is_moved_also_where_positions_repeat(self, save, ws, team):
        for name in ("A", "B", "C"):
            Rule.objects.create(workspace=ws, name=name, team=team, position=0)

        save("rule/move", up=rule_named("C").pk)

        assert list(Rule.objects.for_workspace(ws).values_list("name", flat=True)) == ["A", "C", "B"]


class TestScoring:
    def test_gives_points_and_may_not_look_at_them(self, save, ws):
        assert save("scoringrule/add", ("1", "page_path", "starts_with", "/pricing"), points="40").status_code == 302
        refused = save("scoringrule/add", ("1", "score", "gt", "1"), points="40")

        assert ScoringRule.objects.for_workspace(ws).get().points == 40
        assert "Scoring makes score and intent" in str(row_errors(refused))


class TestDraftSettings:
    def test_are_typed_as_people_say_them(self, save, as_manager, ws):
        draft = Draft.objects.get(workspace=ws)

        assert as_manager.get("/admin/routing/draft/").url == f"/admin/routing/draft/{draft.pk}/change/"
        typed = {"returning": "rotate", "join_window_s": "36h", "acknowledge_within_s": "5m", "warm": "20"}
        assert save(f"draft/{draft.pk}/change", **typed, hot="80").status_code == 302
        draft.refresh_from_db()
        assert (draft.returning, draft.join_window_s, draft.hot) == ("rotate", 129_600, 80)
        refused = save(f"draft/{draft.pk}/change", **typed, hot="10")
        assert "Hot must not be below warm" in refused.content.decode()


class TestPublishing:
    def test_shows_what_would_change_and_does_it(self, save, save_rule, as_manager, ws, manager):
        save_rule(("1", "country", "is", "ES"))

        page = as_manager.get("/admin/routing/policyversion/publish/").content.decode()
        assert "Iberia" in page
        assert "When country is Spain" in page
        response = save("policyversion/publish", note="First")

        assert response.status_code == 302
        version = published_version(Workspace.objects.get(pk=ws.pk))
        assert (version.note, version.published_by) == ("First", manager)
        assert version.document == draft_document(ws)
        assert (
            "The draft is what is published" in as_manager.get("/admin/routing/policyversion/publish/").content.decode()
        )

    def test_of_a_draft_that_is_not_sound_is_refused_with_the_rule(self, save, save_rule, ws):
        save_rule(sla_respond_within="5m")
        Workspace.objects.filter(pk=ws.pk).update(plan="pro")

        response = save("policyversion/publish")

        assert response.status_code == 400
        assert "Rule “Iberia”: SLA ladders: not in the Pro plan." in response.content.decode()
        assert Workspace.objects.get(pk=ws.pk).policy_version == 0

    def test_again_rolls_back_and_names_who_is_gone(self, save, save_rule, as_manager, ws, team):
        save_rule()
        save("policyversion/publish")
        first = published_version(Workspace.objects.get(pk=ws.pk))
        Rule.objects.for_workspace(ws).delete()
        save("policyversion/publish")
        Team.objects.filter(pk=team.pk).update(archived_at=first.published_at)

        page = as_manager.get(f"/admin/routing/policyversion/{first.pk}/change/").content.decode()
        assert f"team {team.slug} (archived or gone)" in page
        response = save(f"policyversion/{first.pk}/publish-again", note="Back")

        assert response.status_code == 302
        now = published_version(Workspace.objects.get(pk=ws.pk))
        assert (now.restored_from, now.document, now.note) == (first.number, first.document, "Back")
        assert draft_document(ws)["rules"] == []

    def test_needs_the_button(self, as_manager, save_rule, ws):
        save_rule()
        as_manager.get("/admin/routing/policyversion/publish/?note=x")

        assert Workspace.objects.get(pk=ws.pk).policy_version == 0
        assert not PolicyVersion.objects.for_workspace(ws).filter(note="x").exists()


def policy(*names, **changes):
    rules = [
        {
            "name": name,
            "route": {
                "to": {"team": "iberia"},
                "by": "round_robin",
                "require": [],
                "prefer": [],
                "if_nobody": changes.get(name, "next_rule"),
            },
        }
        for name in names
    ]
    return {**DEFAULTS, "rules": rules}


class TestChanges:
    def test_name_what_came_went_changed_and_moved(self):
        changes = policy_changes(policy("A", "B", "C", "D"), policy("C", "A", "B", "E", B="hold"))

        assert [(change.kind, change.about) for change in changes] == [
            (ChangeKind.REMOVED, "D"),
            (ChangeKind.MOVED, "C"),
            (ChangeKind.CHANGED, "B"),
            (ChangeKind.ADDED, "E"),
        ]
        assert (changes[1].before, changes[1].after) == ("place 3", "place 1")
        assert changes[2].after.endswith("hold until somebody is")

    def test_of_a_rule_that_only_made_room_are_none(self):
        states = rule_states(policy("A", "B", "C"), policy("New", "A", "B", "C"))

        assert states == {"New": ChangeKind.ADDED, "A": None, "B": None, "C": None}

    def test_of_settings_and_scoring_are_told_in_words(self):
        old = policy()
        new = {**policy(), "join_window": 0, "scoring": [{"points": -10}], "intent": {"hot": 80, "warm": 30}}
        new |= {"sla": {"respond_within": 300, "remind_at": [50, "4m"], "clock": "covered"}, "acknowledge_within": 60}

        assert [(c.about, c.before, c.after) for c in policy_changes(old, new)] == [
            ("Join window", "24h", "never"),
            ("Hot from", "70", "80"),
            ("Promise where a rule has none", "none", "answer within 5m, remind at 50%, 4m, in covered hours"),
            ("On call, acknowledged within", "5m", "1m"),
            ("Scoring", "", "Always: -10 points"),
        ]

    def test_of_the_same_are_none(self):
        assert policy_changes(policy("A"), policy("A")) == []


class TestTheList:
    def test_takes_few_statements_with_300_rules(self, as_manager, ws, team, django_assert_max_num_queries):
        Rule.objects.bulk_create(Rule(workspace=ws, name=f"R{n}", team=team, position=n) for n in range(300))

        with django_assert_max_num_queries(22):
            page = as_manager.get("/admin/routing/rule/").content.decode()

        assert page.count('class="sy-rule"') == 300
        assert "Taking turns" in page
