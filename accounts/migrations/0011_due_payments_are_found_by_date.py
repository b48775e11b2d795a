"""The upkeep looks for due payments of every customer each minute."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("accounts", "0010_device_keys_and_step_up")]

    operations = [
        migrations.AddIndex(
            model_name="scheduledpayment",
            index=models.Index(condition=models.Q(("status", "active")), fields=["next_on"], name="scheduled_payment_due"),
        ),
    ]
