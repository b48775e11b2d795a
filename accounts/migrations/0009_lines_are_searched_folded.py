"""Search must find Cyrillic in any case on any database, so lines carry their own folded text."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("accounts", "0008_payees_stay_who_they_are")]

    operations = [
        migrations.AddField(
            model_name="accountline",
            name="search_text",
            field=models.CharField(blank=True, default="", editable=False, max_length=400),
            preserve_default=False,
        ),
    ]
