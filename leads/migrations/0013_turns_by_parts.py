from django.db import migrations, models
from django.utils import timezone


def add_up_anew(apps, editor):
    """Turns are added up by other parts: they are read from their decisions until the worker has added them up again."""
    turns, dirty = apps.get_model("leads", "TurnDay"), apps.get_model("leads", "DirtyDay")
    at = timezone.now()
    days = sorted(set(turns.objects.values_list("workspace_id", "day")))
    rows = [dirty(workspace_id=workspace, day=day, due_at=at) for workspace, day in days]
    dirty.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5_000)
    turns.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0012_language_of_days"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="turnday",
            name="turn_day_once",
        ),
        migrations.AddField(
            model_name="turnday",
            name="part",
            field=models.CharField(blank=True, default="", max_length=240),
        ),
        migrations.AddConstraint(
            model_name="turnday",
            constraint=models.UniqueConstraint(fields=("workspace", "part", "day"), name="turn_day_once"),
        ),
        # Undone first: a day has several rows then, of which the constraint of before would take one.
        migrations.RunPython(add_up_anew, add_up_anew, elidable=True),
    ]
