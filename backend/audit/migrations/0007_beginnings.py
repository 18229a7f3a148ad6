"""A chain may begin later than at its first entry: what is older than the time it is kept goes.

The triggers, which know of it, are put on again.
"""

from django.db import migrations, models

from audit import append_only


def with_triggers(apps, schema_editor):
    append_only.install(schema_editor.connection)


def without_triggers(apps, schema_editor):
    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0006_whole_request_index'),
    ]

    operations = [
        migrations.RunPython(without_triggers, with_triggers),
        migrations.AddField(
            model_name='auditchain',
            name='start_hash',
            field=models.CharField(default='0' * 64, max_length=64),
        ),
        migrations.AddField(
            model_name='auditchain',
            name='start_number',
            field=models.BigIntegerField(default=0),
        ),
        migrations.RunPython(with_triggers, without_triggers),
    ]
