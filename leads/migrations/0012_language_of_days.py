from django.db import migrations, models
from django.utils import timezone


def pack_anew(apps, editor):
    """Days are packed with more than before: they are read from their leads until the worker has packed them again."""
    packed = [apps.get_model("leads", name) for name in ("LeadDay", "TurnDay")]
    dirty = apps.get_model("leads", "DirtyDay")
    at = timezone.now()
    days = {day for model in packed for day in model.objects.values_list("workspace_id", "day")}
    rows = [dirty(workspace_id=workspace, day=day, due_at=at) for workspace, day in sorted(days)]
    dirty.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5_000)
    for model in packed:
        model.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0011_given_back_later"),
    ]

    operations = [
        migrations.AddField(
            model_name="leadday",
            name="language",
            field=models.BinaryField(default=b""),
        ),
        # While the table is locked: else a worker of before could add a day without languages behind it.
        migrations.RunPython(pack_anew, migrations.RunPython.noop, elidable=True),
    ]
