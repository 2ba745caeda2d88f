from django.db import migrations, models
from django.utils import timezone

COLUMNS = (
    "decision", "at", "undone", "rule", "channel", "country", "source", "outcome", "agent", "chosen", "marks",
    "verdicts", "shares", "verdict_sizes", "verdict_agents", "verdict_reasons", "share_sizes", "share_seats",
    "share_units",
)  # fmt: skip


def pack_anew(apps, editor):
    """Turns are packed in another way: they are read from their decisions until the worker has packed them again."""
    turns, dirty = apps.get_model("leads", "TurnDay"), apps.get_model("leads", "DirtyDay")
    at = timezone.now()
    days = sorted(set(turns.objects.values_list("workspace_id", "day")))
    rows = [dirty(workspace_id=workspace, day=day, due_at=at) for workspace, day in days]
    dirty.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5_000)
    turns.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0014_overdue_by_the_deadline"),
    ]

    operations = [
        # First, as it locks the table, to which a worker of before could add a day.
        migrations.RemoveConstraint(
            model_name="turnday",
            name="turn_day_once",
        ),
        # A day has several rows before, of which the constraint would take one.
        migrations.RunPython(pack_anew, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(
            model_name="turnday",
            name="part",
        ),
        migrations.RemoveField(
            model_name="turnday",
            name="sums",
        ),
        migrations.AddField(
            model_name="turnday",
            name="words",
            field=models.JSONField(default=dict),
        ),
        *[
            migrations.AddField(
                model_name="turnday",
                name=name,
                field=models.BinaryField(default=b""),
            )
            for name in COLUMNS
        ],
        # The same, undone: once the constraint is gone, and with it the way in.
        migrations.RunPython(migrations.RunPython.noop, pack_anew, elidable=True),
        migrations.AddConstraint(
            model_name="turnday",
            constraint=models.UniqueConstraint(fields=("workspace", "day"), name="turn_day_once"),
        ),
    ]
