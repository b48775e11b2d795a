"""What the bank must know of a person beside the name: birth date, INN, zone, risk flags."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_customers_and_device_sessions'),
    ]

    operations = [
        migrations.AddField(
            model_name='customer',
            name='birth_date',
            field=models.DateField(blank=True, null=True, verbose_name='birth date'),
        ),
        migrations.AddField(
            model_name='customer',
            name='inn',
            field=models.CharField(blank=True, max_length=12, verbose_name='INN'),
        ),
        migrations.AddField(
            model_name='customer',
            name='is_politically_exposed',
            field=models.BooleanField(default=False, verbose_name='politically exposed person'),
        ),
        migrations.AddField(
            model_name='customer',
            name='is_watched',
            field=models.BooleanField(default=False, verbose_name='under watch'),
        ),
        migrations.AddField(
            model_name='customer',
            name='patronymic',
            field=models.CharField(blank=True, max_length=64, verbose_name='patronymic'),
        ),
        migrations.AddField(
            model_name='customer',
            name='zone',
            field=models.CharField(default='Europe/Moscow', max_length=40, verbose_name='time zone'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('inn', ''), ('inn__regex', '^[0-9]{12}$'), _connector='OR'), name='customer_inn_is_twelve_digits'),
        ),
    ]
