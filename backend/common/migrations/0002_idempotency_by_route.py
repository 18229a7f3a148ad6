"""Keys belong to a route, and answers are encrypted. What is remembered of the last day is forgotten."""

from django.db import migrations, models

import common.crypto


def forget(apps, schema_editor):
    apps.get_model("common", "IdempotencyRecord").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]

    operations = [
        migrations.RunPython(forget, forget),
        migrations.RemoveConstraint("idempotencyrecord", "idempotency_once"),
        migrations.RemoveField("idempotencyrecord", "body"),
        migrations.AddField(
            "idempotencyrecord", "answer", common.crypto.EncryptedTextField(default=""), preserve_default=False
        ),
        migrations.AddField(
            "idempotencyrecord", "route", models.CharField(default="", max_length=200), preserve_default=False
        ),
        migrations.AddConstraint(
            "idempotencyrecord",
            models.UniqueConstraint(fields=("caller", "route", "key"), name="idempotency_once"),
        ),
    ]
