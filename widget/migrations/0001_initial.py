from django.db import migrations, models


def spare_the_log(apps, schema_editor):
    """Counts may be lost in a crash, so PostgreSQL need not wait for the disk before it counts."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE widget_throttlecount SET UNLOGGED")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ThrottleCount",
            fields=[
                ("key", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("hits", models.IntegerField()),
                ("ends_ms", models.BigIntegerField(db_index=True)),
            ],
            options={"verbose_name": "throttle count"},
        ),
        migrations.RunPython(spare_the_log, migrations.RunPython.noop),
    ]
