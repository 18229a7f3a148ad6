"""The keys of person and business need no index of their own: those with the time begin with them.

SQLite makes the table anew for it, and would lose the triggers: so they are taken off and put on again. Whatever
changes the table later has to do the same.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from audit import append_only


def with_triggers(apps, schema_editor):
    append_only.install(schema_editor.connection)


def without_triggers(apps, schema_editor):
    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_append_only'),
        ('clients', '0002_scheduling'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(without_triggers, with_triggers),
        migrations.AlterField(
            model_name='auditlog',
            name='client',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clients.client'),
        ),
        migrations.AlterField(
            model_name='auditlog',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(with_triggers, without_triggers),
    ]
