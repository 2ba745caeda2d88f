"""The database refuses rows that point into another workspace, whoever writes them."""

from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.test.utils import isolate_apps

from agents.models import Agent, Handle, Shift, TeamMember, TimeOff, Workspace
from agents.tenancy import SameWorkspace
from tests.agents.conftest import make_house

pytestmark = pytest.mark.portable

FOREIGN = {
    "a handle's agent": lambda a, b: Handle(workspace=a.workspace, agent=b.agent, channel="sms", value="+34600111222"),
    "a shift's agent": lambda a, b: Shift(
        workspace=a.workspace, agent=b.agent, weekday=1, start_minute=0, end_minute=60
    ),
    "an absence's agent": lambda a, b: TimeOff(
        workspace=a.workspace, agent=b.agent, starts_local="2026-01-01T00:00", ends_local="2026-01-02T00:00"
    ),
    "a member's agent": lambda a, b: TeamMember(workspace=a.workspace, team=a.team, agent=b.colleague),
    "a member's team": lambda a, b: TeamMember(workspace=a.workspace, team=b.team, agent=a.colleague),
}


def refused():
    """The constraint is deferred: it speaks when the transaction commits."""
    return pytest.raises(IntegrityError)


@pytest.mark.django_db(transaction=True)
class TestDatabase:
    @pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
    def test_refuses_what_points_into_another_workspace(self, make):
        row = make(make_house("acme"), make_house("rival"))

        with refused():
            row.save()
        with refused():
            type(row).objects.bulk_create([row])

    def test_refuses_a_fallback_agent_of_another_workspace(self):
        acme, rival = make_house("acme"), make_house("rival")

        with refused():
            Workspace.objects.filter(pk=acme.workspace.pk).update(fallback_agent=rival.agent)

    def test_refuses_to_hand_a_row_to_another_workspaces_agent(self):
        acme, rival = make_house("acme"), make_house("rival")

        with refused():
            rival.agent.handles.add(acme.handle)

    def test_takes_what_stays_inside(self):
        acme = make_house("acme")

        Workspace.objects.filter(pk=acme.workspace.pk).update(fallback_agent=acme.agent)
        acme.colleague.handles.add(acme.handle)

    def test_takes_rows_in_any_order_within_a_transaction(self):
        acme = make_house("acme")

        with transaction.atomic():
            Workspace.objects.filter(pk=acme.workspace.pk).update(fallback_agent=987_654)
            Agent.objects.create(pk=987_654, workspace=acme.workspace, slug="late", name="Late")


@pytest.mark.django_db(transaction=True)
class TestMigrations:
    def test_need_nothing_made_anew(self):
        out = StringIO()

        call_command("makemigrations", "agents", check=True, dry_run=True, stdout=out)

        assert "No changes" in out.getvalue()

    def test_keep_it_when_a_table_is_rebuilt(self):
        """SQLite makes a table anew to alter a column; what is not in its definition is lost."""
        old = TeamMember._meta.get_field("weight")
        wider = models.BigIntegerField(default=1)
        wider.set_attributes_from_name("weight")
        wider.model = TeamMember
        with connection.schema_editor() as editor:
            editor.alter_field(TeamMember, old, wider)
        with connection.schema_editor() as editor:
            editor.alter_field(TeamMember, wider, old)
        row = FOREIGN["a member's team"](make_house("acme"), make_house("rival"))

        with refused():
            row.save()

    def test_add_it_to_a_table_and_take_it_away(self):
        acme, rival = make_house("acme"), make_house("rival")
        constraint = SameWorkspace(field="agent", name="probe_has_own_agent")
        fields = [
            ("id", models.BigAutoField(primary_key=True)),
            ("workspace", models.ForeignKey("agents.Workspace", models.CASCADE)),
            ("agent", models.ForeignKey("agents.Agent", models.CASCADE)),
        ]
        state = MigrationLoader(connection).project_state([("agents", "0001_initial")])

        def run(operation, state):
            after = state.clone()
            operation.state_forwards("agents", after)
            with connection.schema_editor() as editor:
                operation.database_forwards("agents", editor, state, after)
            return after

        def write(state):
            probe = state.apps.get_model("agents", "Probe")
            probe.objects.create(workspace_id=acme.workspace.pk, agent_id=rival.agent.pk)
            probe.objects.all().delete()

        state = run(migrations.CreateModel("Probe", fields), state)
        try:
            write(state)
            state = run(migrations.AddConstraint("Probe", constraint), state)
            with refused():
                write(state)
            state = run(migrations.AlterModelTable("Probe", "agents_renamed_probe"), state)
            state = run(migrations.AddField("Probe", "note", models.TextField(default="x")), state)
            with refused():
                write(state)
            state = run(migrations.RemoveConstraint("Probe", constraint.name), state)
            write(state)
        finally:
            run(migrations.DeleteModel("Probe"), state)

    def test_make_it_together_with_its_table(self):
        acme, rival = make_house("acme"), make_house("rival")
        before = MigrationLoader(connection).project_state([("agents", "0001_initial")])
        create = migrations.CreateModel(
            "Probe",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("workspace", models.ForeignKey("agents.Workspace", models.CASCADE)),
                ("agent", models.ForeignKey("agents.Agent", models.CASCADE)),
            ],
            options={"constraints": [SameWorkspace(field="agent", name="probe_has_own_agent")]},
        )
        after = before.clone()
        create.state_forwards("agents", after)
        with connection.schema_editor() as editor:
            create.database_forwards("agents", editor, before, after)
        try:
            with refused():
                after.apps.get_model("agents", "Probe").objects.create(
                    workspace_id=acme.workspace.pk, agent_id=rival.agent.pk
                )
        finally:
            with connection.schema_editor() as editor:
                create.database_backwards("agents", editor, after, before)

    def test_notice_when_it_changes(self):
        def state(field):
            found = ProjectState()
            found.add_model(
                migrations.state.ModelState(
                    "probe", "Probe", [("id", models.BigAutoField(primary_key=True))],
                    options={"constraints": [SameWorkspace(field=field, name="own")]},
                )
            )  # fmt: skip
            return found

        def changes(before, after):
            return MigrationAutodetector(before, after)._detect_changes()

        assert changes(state("agent"), state("agent")) == {}
        assert [type(o).__name__ for o in changes(state("agent"), state("team"))["probe"][0].operations] == [
            "RemoveConstraint",
            "AddConstraint",
        ]


class TestForms:
    @pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
    def test_are_told_at_the_field_what_to_do(self, acme, rival, make):
        row = make(acme, rival)

        with pytest.raises(ValidationError) as caught:
            row.full_clean()

        (field,) = caught.value.message_dict
        assert caught.value.message_dict[field] == [
            f"This {field} belongs to another workspace. Choose one of this workspace."
        ]

    def test_that_carry_the_workspace_themselves_are_told_too(self, acme, rival):
        row = FOREIGN["a handle's agent"](acme, rival)

        with pytest.raises(ValidationError, match="another workspace"):
            row.full_clean(exclude={"workspace"})

    def test_that_do_not_show_the_field_are_not(self, acme, rival):
        FOREIGN["a handle's agent"](acme, rival).full_clean(exclude={"agent"})

    def test_name_a_fallback_agent_of_the_own_workspace_only(self, acme, rival):
        acme.workspace.fallback_agent = acme.agent
        acme.workspace.full_clean()
        acme.workspace.fallback_agent = rival.agent

        with pytest.raises(ValidationError) as caught:
            acme.workspace.full_clean()
        assert list(caught.value.message_dict) == ["fallback_agent"]

    def test_of_a_new_workspace_have_no_agent_to_name(self, acme):
        with pytest.raises(ValidationError) as caught:
            Workspace(slug="new", name="New", fallback_agent=acme.agent).full_clean()
        assert list(caught.value.message_dict) == ["fallback_agent"]


@isolate_apps("agents")
def test_a_target_that_is_not_unique_with_its_workspace_is_reported():
    class Target(models.Model):  # noqa: DJ008
        workspace = models.ForeignKey(Workspace, models.CASCADE)

        class Meta:
            app_label = "agents"

    class Probe(models.Model):  # noqa: DJ008
        workspace = models.ForeignKey(Workspace, models.CASCADE)
        target = models.ForeignKey(Target, models.CASCADE)

        class Meta:
            app_label = "agents"
            constraints = [SameWorkspace(field="target", name="probe_has_own_target")]

    assert "agents.E001" in {message.id for message in Probe.check(databases={"default"})}
