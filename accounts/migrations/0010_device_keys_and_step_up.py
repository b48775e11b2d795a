"""Customers say yes with a key of their device, and prove who they are again when much is at stake."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_lines_are_searched_folded'),
    ]

    operations = [
        migrations.AddField(
            model_name='devicesession',
            name='stepped_up_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='password given again at'),
        ),
        migrations.CreateModel(
            name='DeviceKey',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('device_id', models.CharField(max_length=64, verbose_name='device')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('public_key', models.BinaryField(verbose_name='public key')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='device_keys', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'device key',
                'verbose_name_plural': 'device keys',
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['-created_at', '-id'], name='device_key_by_time')],
                'constraints': [models.UniqueConstraint(fields=('customer', 'device_id', 'number'), name='device_keys_are_numbered'), models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('customer', 'device_id'), name='one_live_key_per_device'), models.CheckConstraint(condition=models.Q(models.Q(('device_id', ''), _negated=True), ('number__gte', 1)), name='device_key_has_a_name')],
            },
        ),
    ]
