"""Every entry gets its digest; the sealer then chains those that were there before, as all others."""

import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

from audit.domain.chain import digest_of

SAID = (
    'user_id', 'real_user_id', 'client_id', 'action', 'resource', 'resource_id', 'details', 'ip_address', 'timestamp',
    'actor_name', 'real_actor_name', 'client_name', 'request_id',
)


def digest_all(apps, schema_editor):
    entries = apps.get_model('audit', 'AuditLog').objects.using(schema_editor.connection.alias)
    last = 0
    while rows := list(entries.filter(pk__gt=last).order_by('pk').values('pk', *SAID)[:2000]):
        last = rows[-1]['pk']
        digests = [(digest_of({name: row[name] for name in SAID}), row['pk']) for row in rows]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany('UPDATE audit_logs SET digest = %s WHERE id = %s', digests)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_initial'),
        ('clients', '0002_scheduling'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditChain',
            fields=[
                ('chain', models.BigIntegerField(primary_key=True, serialize=False)),
                ('number', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
                ('sealed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'audit_chains',
                'ordering': ['chain'],
            },
        ),
        migrations.AlterModelOptions(
            name='auditlog',
            options={'base_manager_name': 'everything', 'default_manager_name': 'objects', 'ordering': ['-timestamp']},
        ),
        migrations.AlterModelManagers(
            name='auditlog',
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='auditlog',
            name='digest',
            field=models.CharField(default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='hash',
            field=models.CharField(default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='auditlog',
            name='number',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.RunPython(digest_all, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='auditlog',
            index=models.Index(fields=['resource', 'resource_id', '-timestamp'], name='audit_thing_time'),
        ),
        migrations.AddIndex(
            model_name='auditlog',
            index=models.Index(fields=['user', '-timestamp'], name='audit_user_time'),
        ),
        migrations.AddIndex(
            model_name='auditlog',
            index=models.Index(fields=['action', '-timestamp'], name='audit_action_time'),
        ),
        migrations.AddIndex(
            model_name='auditlog',
            index=models.Index(condition=models.Q(('request_id', ''), _negated=True), fields=['request_id'], name='audit_request'),
        ),
        migrations.AddIndex(
            model_name='auditlog',
            index=models.Index(fields=['client', 'number'], name='audit_chain'),
        ),
        migrations.AddIndex(
            model_name='auditlog',
            index=models.Index(condition=models.Q(('number', None)), fields=['id'], name='audit_unsealed'),
        ),
    ]
