from django.db import migrations


class Migration(migrations.Migration):
    """Speakers that have called before are known since they were made; nothing counts before the record of outages."""

    dependencies = [
        ('devices', '0006_outages'),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE devices SET first_seen = created_at WHERE last_seen IS NOT NULL", migrations.RunSQL.noop
        ),
    ]
