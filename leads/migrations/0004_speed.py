import django.db.models.deletion
from django.db import migrations, models

import agents.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0001_initial"),
        ("leads", "0003_promises"),
    ]

    operations = [
        migrations.CreateModel(
            name="DirtyHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("due_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name": "hour to add up",
                "verbose_name_plural": "hours to add up",
            },
        ),
        migrations.CreateModel(
            name="SpeedHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("rule", models.CharField(blank=True, max_length=200, verbose_name="rule")),
                ("channel", models.CharField(blank=True, max_length=20, verbose_name="channel")),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country")),
                ("leads", models.PositiveIntegerField(default=0, verbose_name="leads")),
                ("not_leads", models.PositiveIntegerField(default=0, verbose_name="no leads")),
                ("unconfirmed", models.PositiveIntegerField(default=0, verbose_name="unconfirmed clicks")),
                ("answered", models.PositiveIntegerField(default=0, verbose_name="answered")),
                ("breaches", models.PositiveIntegerField(default=0, verbose_name="overdue")),
                ("wall_us", models.BigIntegerField(default=0)),
                ("covered_us", models.BigIntegerField(default=0)),
                ("within_60", models.PositiveIntegerField(default=0)),
                ("within_300", models.PositiveIntegerField(default=0)),
                ("within_900", models.PositiveIntegerField(default=0)),
                ("within_3600", models.PositiveIntegerField(default=0)),
                ("within_86400", models.PositiveIntegerField(default=0)),
                ("covered_within_60", models.PositiveIntegerField(default=0)),
                ("covered_within_300", models.PositiveIntegerField(default=0)),
                ("covered_within_900", models.PositiveIntegerField(default=0)),
                ("covered_within_3600", models.PositiveIntegerField(default=0)),
                ("covered_within_86400", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "hour of leads",
                "verbose_name_plural": "hours of leads",
            },
        ),
        migrations.AddField(
            model_name="lead",
            name="answered_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agents.agent",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="attempted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="tried to reach"),
        ),
        migrations.AddField(
            model_name="lead",
            name="click_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="lead",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="confirmed"),
        ),
        migrations.AddField(
            model_name="lead",
            name="covered_response_us",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="lead",
            name="first_assigned_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="first assigned"),
        ),
        migrations.AddField(
            model_name="lead",
            name="notified_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="agent told"),
        ),
        migrations.AddField(
            model_name="lead",
            name="response_schedule",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="lead",
            name="response_us",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="lead",
            name="seen_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="seen"),
        ),
        migrations.AddField(
            model_name="lead",
            name="unconfirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="not confirmed"),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("joined", "The visitor wrote again"),
                    ("assigned", "Assigned"),
                    ("held", "Held"),
                    ("offered", "Offered"),
                    ("queued", "Put into the nurture queue"),
                    ("seen", "Seen by the agent"),
                    ("attempted", "Tried to reach"),
                    ("note", "Note"),
                    ("responded", "Answered"),
                    ("closed", "Closed"),
                    ("reopened", "Reopened"),
                    ("flagged", "Flagged"),
                    ("reminded", "Agent reminded"),
                    ("overdue", "Not answered in time"),
                    ("escalated", "Managers told"),
                    ("acknowledged", "Acknowledged"),
                    ("confirmed", "Confirmed as a conversation"),
                    ("unconfirmed", "Not confirmed as a conversation"),
                    ("given_back", "Turn given back"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("click_until__isnull", False)), fields=["click_until"], name="lead_by_click"
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=agents.tenancy.SameWorkspace(field="answered_by", name="lead_answered_by_own_agent"),
        ),
        migrations.AddField(
            model_name="dirtyhour",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="agents.workspace"
            ),
        ),
        migrations.AddField(
            model_name="speedhour",
            name="agent",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agents.agent",
            ),
        ),
        migrations.AddField(
            model_name="speedhour",
            name="team",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agents.team",
            ),
        ),
        migrations.AddField(
            model_name="speedhour",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="agents.workspace"
            ),
        ),
        migrations.AddConstraint(
            model_name="dirtyhour",
            constraint=models.UniqueConstraint(fields=("workspace", "hour"), name="dirty_hour_once"),
        ),
        migrations.AddIndex(
            model_name="speedhour",
            index=models.Index(fields=["workspace", "hour"], name="speed_hour_by_hour"),
        ),
        migrations.AddConstraint(
            model_name="speedhour",
            constraint=agents.tenancy.SameWorkspace(field="agent", name="speed_hour_has_own_agent"),
        ),
        migrations.AddConstraint(
            model_name="speedhour",
            constraint=agents.tenancy.SameWorkspace(field="team", name="speed_hour_has_own_team"),
        ),
    ]
