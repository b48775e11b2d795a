"""The tables of the ledger and of the bank around it; their triggers follow in migrations of their own."""

import django.db.models.deletion
import django.db.models.expressions
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_customer_profile'),
        ('auth', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Biller',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('code', models.CharField(max_length=32, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('inn', models.CharField(blank=True, max_length=12, verbose_name='INN')),
                ('category', models.CharField(choices=[('groceries', 'groceries'), ('restaurants', 'cafes and restaurants'), ('transport', 'transport'), ('fuel', 'fuel'), ('housing', 'housing'), ('telecom', 'phone and internet'), ('subscriptions', 'subscriptions'), ('health', 'health'), ('clothes', 'clothes and shoes'), ('home', 'home and repair'), ('entertainment', 'entertainment'), ('travel', 'travel'), ('education', 'education'), ('children', 'children'), ('taxes', 'taxes and fines'), ('cash', 'cash'), ('transfers', 'transfers'), ('own_transfers', 'between own accounts'), ('fees', 'fees'), ('salary', 'salary'), ('pension', 'pension and benefits'), ('interest', 'interest'), ('refunds', 'refunds'), ('loans', 'loans'), ('other', 'other')], default='housing', max_length=24, verbose_name='category')),
            ],
            options={
                'verbose_name': 'biller',
                'verbose_name_plural': 'billers',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='FlaggedTarget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target_digest', models.CharField(max_length=64, unique=True)),
                ('listed_on', models.DateField(verbose_name='listed on')),
            ],
            options={
                'verbose_name': 'flagged target',
                'verbose_name_plural': 'flagged targets',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('code', models.CharField(blank=True, max_length=32, verbose_name='code')),
                ('number', models.CharField(blank=True, max_length=20, null=True, verbose_name='number')),
                ('kind', models.CharField(choices=[('current', 'current account'), ('savings', 'savings account'), ('deposit', 'deposit'), ('credit', 'credit account'), ('clearing', 'clearing account'), ('income', 'income account'), ('cash', 'cash account'), ('equity', 'equity account'), ('position', 'correspondent account')], max_length=16, verbose_name='kind')),
                ('side', models.CharField(choices=[('C', 'liability (credit)'), ('D', 'asset (debit)')], max_length=1, verbose_name='side')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('title', models.CharField(max_length=64, verbose_name='title')),
                ('status', models.CharField(choices=[('active', 'active'), ('debit_blocked', 'payments blocked'), ('blocked', 'blocked'), ('closed', 'closed')], default='active', max_length=16, verbose_name='status')),
                ('is_guarded', models.BooleanField(default=True, verbose_name='never overdrawn')),
                ('overdraft_limit', models.BigIntegerField(default=0, verbose_name='overdraft limit')),
                ('debits_posted', models.BigIntegerField(default=0, verbose_name='debits posted')),
                ('credits_posted', models.BigIntegerField(default=0, verbose_name='credits posted')),
                ('debits_pending', models.BigIntegerField(default=0, verbose_name='debits pending')),
                ('credits_pending', models.BigIntegerField(default=0, verbose_name='credits pending')),
                ('last_posted_at', models.DateTimeField(blank=True, null=True, verbose_name='last entry at')),
                ('opened_at', models.DateTimeField(verbose_name='opened at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                ('customer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'account',
                'verbose_name_plural': 'accounts',
                'permissions': [('freeze_account', 'Can block and unblock accounts')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='BankDirectory',
            fields=[
                ('bik', models.CharField(max_length=9, primary_key=True, serialize=False, verbose_name='BIK')),
                ('name', models.CharField(max_length=128, verbose_name='name')),
                ('is_sbp_member', models.BooleanField(default=True, verbose_name='takes transfers by phone')),
                ('is_fictional', models.BooleanField(default=False, verbose_name='fictional')),
            ],
            options={
                'verbose_name': 'bank',
                'verbose_name_plural': 'banks',
                'default_permissions': ('view',),
                'constraints': [models.CheckConstraint(condition=models.Q(('bik__regex', '^[0-9]{9}$')), name='bank_bik_is_nine_digits')],
            },
        ),
        migrations.CreateModel(
            name='AccountLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('direction', models.CharField(choices=[('in', 'incoming'), ('out', 'outgoing')], max_length=3, verbose_name='direction')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('status', models.CharField(choices=[('PDNG', 'pending'), ('BOOK', 'booked'), ('VOID', 'not charged')], max_length=4, verbose_name='status')),
                ('booked_at', models.DateTimeField(verbose_name='booked at')),
                ('value_at', models.DateField(verbose_name='value date')),
                ('balance_after', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='balance after')),
                ('category', models.CharField(choices=[('groceries', 'groceries'), ('restaurants', 'cafes and restaurants'), ('transport', 'transport'), ('fuel', 'fuel'), ('housing', 'housing'), ('telecom', 'phone and internet'), ('subscriptions', 'subscriptions'), ('health', 'health'), ('clothes', 'clothes and shoes'), ('home', 'home and repair'), ('entertainment', 'entertainment'), ('travel', 'travel'), ('education', 'education'), ('children', 'children'), ('taxes', 'taxes and fines'), ('cash', 'cash'), ('transfers', 'transfers'), ('own_transfers', 'between own accounts'), ('fees', 'fees'), ('salary', 'salary'), ('pension', 'pension and benefits'), ('interest', 'interest'), ('refunds', 'refunds'), ('loans', 'loans'), ('other', 'other')], default='other', max_length=24, verbose_name='category')),
                ('mcc', models.CharField(blank=True, max_length=4, verbose_name='merchant category code')),
                ('merchant', models.CharField(blank=True, max_length=100, verbose_name='merchant')),
                ('counterparty_name', models.CharField(blank=True, max_length=100, verbose_name='counterparty')),
                ('memo_untrusted', models.CharField(blank=True, max_length=140, verbose_name='message')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='accounts.account', verbose_name='account')),
                ('counterparty_bank', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.bankdirectory', verbose_name='their bank')),
            ],
            options={
                'verbose_name': 'statement line',
                'verbose_name_plural': 'statement lines',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='account',
            name='bank',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.bankdirectory', verbose_name='bank'),
        ),
        migrations.CreateModel(
            name='Bill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('reference', models.CharField(max_length=32, verbose_name='reference')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(default='RUB', max_length=3, verbose_name='currency')),
                ('due_on', models.DateField(verbose_name='due on')),
                ('period_start', models.DateField(verbose_name='period')),
                ('status', models.CharField(choices=[('unpaid', 'unpaid'), ('processing', 'processing'), ('paid', 'paid'), ('cancelled', 'cancelled')], default='unpaid', max_length=16, verbose_name='status')),
                ('details_untrusted', models.CharField(blank=True, max_length=140, verbose_name='details')),
                ('issued_at', models.DateTimeField(verbose_name='issued at')),
                ('paid_at', models.DateTimeField(blank=True, null=True, verbose_name='paid at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bills', to='accounts.customer', verbose_name='customer')),
                ('biller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bills', to='accounts.biller', verbose_name='biller')),
            ],
            options={
                'verbose_name': 'bill',
                'verbose_name_plural': 'bills',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='CapUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, verbose_name='code')),
                ('period_start', models.DateField(verbose_name='period start')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('used_minor', models.BigIntegerField(default=0, verbose_name='used')),
                ('cap_minor', models.BigIntegerField(verbose_name='cap')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='caps', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'cap usage',
                'verbose_name_plural': 'cap usages',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Card',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('token', models.CharField(max_length=64, unique=True, verbose_name='token')),
                ('bin', models.CharField(max_length=6, verbose_name='issuer digits')),
                ('last4', models.CharField(max_length=4, verbose_name='last four digits')),
                ('pan_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('system', models.CharField(choices=[('mir', 'MIR')], default='mir', max_length=8, verbose_name='network')),
                ('status', models.CharField(choices=[('active', 'active'), ('frozen', 'frozen by the customer'), ('blocked_by_bank', 'blocked by the bank'), ('lost', 'lost or stolen'), ('expired', 'expired')], default='active', max_length=16, verbose_name='status')),
                ('expires_on', models.DateField(verbose_name='expires on')),
                ('purchases_day_minor', models.BigIntegerField(blank=True, null=True, verbose_name='purchases a day')),
                ('purchases_month_minor', models.BigIntegerField(blank=True, null=True, verbose_name='purchases a month')),
                ('cash_day_minor', models.BigIntegerField(blank=True, null=True, verbose_name='cash a day')),
                ('online_minor', models.BigIntegerField(blank=True, null=True, verbose_name='one online purchase')),
                ('issued_at', models.DateTimeField(verbose_name='issued at')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='accounts.account', verbose_name='account')),
            ],
            options={
                'verbose_name': 'card',
                'verbose_name_plural': 'cards',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('reason', models.CharField(choices=[('not_mine', 'not made by me'), ('duplicate', 'charged twice'), ('wrong_amount', 'wrong amount'), ('not_received', 'goods or service not received'), ('cancelled', 'subscription was cancelled')], max_length=16, verbose_name='reason')),
                ('comment', models.CharField(blank=True, max_length=500, verbose_name='comment')),
                ('status', models.CharField(choices=[('open', 'open'), ('accepted', 'accepted'), ('rejected', 'rejected')], default='open', max_length=16, verbose_name='status')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='accounts.customer', verbose_name='customer')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='accounts.accountline', verbose_name='line')),
            ],
            options={
                'verbose_name': 'dispute',
                'verbose_name_plural': 'disputes',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveSmallIntegerField(verbose_name='number in the operation')),
                ('phase', models.CharField(choices=[('posted', 'posted'), ('pending', 'hold'), ('post', 'hold posted'), ('void', 'hold voided')], max_length=8, verbose_name='phase')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='hold expires at')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('credit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='accounts.account', verbose_name='credit')),
                ('debit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='debits', to='accounts.account', verbose_name='debit')),
                ('resolves', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolution', to='accounts.entry', verbose_name='resolves')),
            ],
            options={
                'verbose_name': 'entry',
                'verbose_name_plural': 'entries',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='accountline',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='accounts.entry', verbose_name='entry'),
        ),
        migrations.CreateModel(
            name='LimitRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=32, verbose_name='code')),
                ('currency', models.CharField(default='RUB', max_length=3, verbose_name='currency')),
                ('period', models.CharField(choices=[('operation', 'one operation'), ('day', 'day'), ('month', 'month')], max_length=16, verbose_name='period')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='source')),
            ],
            options={
                'verbose_name': 'limit',
                'verbose_name_plural': 'limits',
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('code', 'currency', 'period', 'valid_from'), name='limit_rule_is_one_per_date'), models.CheckConstraint(condition=models.Q(('amount_minor__gte', 0)), name='limit_rule_is_not_negative'), models.CheckConstraint(condition=models.Q(('period__in', ['operation', 'day', 'month'])), name='limit_rule_period_is_known')],
            },
        ),
        migrations.CreateModel(
            name='Operation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('kind', models.CharField(choices=[('own_transfer', 'transfer between own accounts'), ('sbp_out', 'transfer by phone'), ('sbp_in', 'incoming transfer by phone'), ('bill_payment', 'bill payment'), ('card_purchase', 'card purchase'), ('cash_withdrawal', 'cash withdrawal'), ('incoming', 'incoming payment'), ('fee', 'fee'), ('interest', 'interest'), ('opening', 'opening balance'), ('settlement', 'settlement'), ('reversal', 'reversal'), ('refund', 'refund')], max_length=24, verbose_name='kind')),
                ('status', models.CharField(choices=[('pending', 'pending'), ('posted', 'posted'), ('voided', 'voided'), ('expired', 'expired'), ('reversed', 'reversed')], default='pending', max_length=16, verbose_name='status')),
                ('source', models.CharField(choices=[('assistant', 'assistant'), ('app', 'mobile app'), ('card', 'card network'), ('sbp', 'SBP'), ('system', 'bank')], max_length=16, verbose_name='source')),
                ('confirmation', models.UUIDField(blank=True, null=True, unique=True, verbose_name='confirmation')),
                ('idem_scope', models.CharField(max_length=64, verbose_name='idempotency scope')),
                ('idem_key', models.CharField(max_length=128, verbose_name='idempotency key')),
                ('request_hash', models.CharField(max_length=64, verbose_name='request hash')),
                ('value_date', models.DateField(verbose_name='value date')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('description', models.CharField(blank=True, max_length=140, verbose_name='description')),
                ('bill', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='accounts.bill', verbose_name='bill')),
                ('card', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='accounts.card', verbose_name='card')),
                ('customer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='accounts.customer', verbose_name='customer')),
                ('refunds', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunded_by', to='accounts.operation', verbose_name='refunds a part of')),
                ('reverses', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='accounts.operation', verbose_name='takes back')),
            ],
            options={
                'verbose_name': 'operation',
                'verbose_name_plural': 'operations',
                'permissions': [('reverse_operation', 'Can reverse operations')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='GatewayOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=16, verbose_name='gateway')),
                ('answer', models.CharField(choices=[('none', 'not asked yet'), ('accepted', 'accepted'), ('refused', 'refused'), ('unknown', 'no answer')], default='none', max_length=16, verbose_name='answer')),
                ('reason', models.CharField(blank=True, max_length=32, verbose_name='reason')),
                ('reference', models.CharField(blank=True, max_length=64, verbose_name='their number')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='times asked')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('asked_at', models.DateTimeField(blank=True, null=True, verbose_name='last asked at')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='answered at')),
                ('operation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='gateway_order', to='accounts.operation', verbose_name='operation')),
            ],
            options={
                'verbose_name': 'gateway order',
                'verbose_name_plural': 'gateway orders',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='entry',
            name='operation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='accounts.operation', verbose_name='operation'),
        ),
        migrations.AddField(
            model_name='accountline',
            name='operation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='accounts.operation', verbose_name='operation'),
        ),
        migrations.CreateModel(
            name='Payee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('kind', models.CharField(choices=[('own', 'own account'), ('sbp', 'phone'), ('requisites', 'account requisites'), ('biller', 'biller')], max_length=16, verbose_name='kind')),
                ('target_sealed', models.BinaryField()),
                ('target_digest', models.CharField(editable=False, max_length=64)),
                ('target_hint', models.CharField(blank=True, max_length=4, verbose_name='last digits')),
                ('shown_name', models.CharField(max_length=100, verbose_name='name')),
                ('origin', models.CharField(choices=[('customer', 'named by the customer'), ('app', 'chosen in the app'), ('counterparty', 'past counterparty')], max_length=16, verbose_name='origin')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('first_paid_at', models.DateTimeField(blank=True, null=True, verbose_name='first paid at')),
                ('last_paid_at', models.DateTimeField(blank=True, null=True, verbose_name='last paid at')),
                ('bank', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.bankdirectory', verbose_name='bank')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payees', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'payee',
                'verbose_name_plural': 'payees',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='operation',
            name='payee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='accounts.payee', verbose_name='payee'),
        ),
        migrations.CreateModel(
            name='Rate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('base', models.CharField(max_length=3, verbose_name='currency')),
                ('quote', models.CharField(max_length=3, verbose_name='in')),
                ('buy', models.DecimalField(decimal_places=6, max_digits=18, verbose_name='buy')),
                ('sell', models.DecimalField(decimal_places=6, max_digits=18, verbose_name='sell')),
                ('valid_from', models.DateTimeField(verbose_name='valid from')),
            ],
            options={
                'verbose_name': 'exchange rate',
                'verbose_name_plural': 'exchange rates',
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('base', 'quote', 'valid_from'), name='rate_is_one_per_moment'), models.CheckConstraint(condition=models.Q(('buy__gt', 0), ('sell__gte', models.F('buy'))), name='rate_buys_below_sell')],
            },
        ),
        migrations.CreateModel(
            name='RefusedOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('idem_scope', models.CharField(max_length=64, verbose_name='idempotency scope')),
                ('idem_key', models.CharField(max_length=128, verbose_name='idempotency key')),
                ('request_hash', models.CharField(max_length=64, verbose_name='request hash')),
                ('kind', models.CharField(choices=[('own_transfer', 'transfer between own accounts'), ('sbp_out', 'transfer by phone'), ('sbp_in', 'incoming transfer by phone'), ('bill_payment', 'bill payment'), ('card_purchase', 'card purchase'), ('cash_withdrawal', 'cash withdrawal'), ('incoming', 'incoming payment'), ('fee', 'fee'), ('interest', 'interest'), ('opening', 'opening balance'), ('settlement', 'settlement'), ('reversal', 'reversal'), ('refund', 'refund')], max_length=24, verbose_name='kind')),
                ('code', models.CharField(max_length=32, verbose_name='code')),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refused_orders', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'refused order',
                'verbose_name_plural': 'refused orders',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ScheduledPayment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('title', models.CharField(max_length=64, verbose_name='title')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(default='RUB', max_length=3, verbose_name='currency')),
                ('frequency', models.CharField(choices=[('once', 'once'), ('weekly', 'every week'), ('monthly', 'every month'), ('yearly', 'every year')], max_length=16, verbose_name='frequency')),
                ('day', models.PositiveSmallIntegerField(verbose_name='day of the month')),
                ('next_on', models.DateField(blank=True, null=True, verbose_name='next on')),
                ('status', models.CharField(choices=[('active', 'active'), ('paused', 'paused'), ('ended', 'ended')], default='active', max_length=16, verbose_name='status')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account', verbose_name='account')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scheduled_payments', to='accounts.customer', verbose_name='customer')),
                ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scheduled_payments', to='accounts.payee', verbose_name='payee')),
            ],
            options={
                'verbose_name': 'scheduled payment',
                'verbose_name_plural': 'scheduled payments',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='StatementRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('date_from', models.DateField(verbose_name='from')),
                ('date_to', models.DateField(verbose_name='to')),
                ('format', models.CharField(choices=[('pdf', 'PDF'), ('csv', 'CSV')], max_length=8, verbose_name='format')),
                ('status', models.CharField(choices=[('requested', 'requested'), ('ready', 'ready'), ('failed', 'failed')], default='requested', max_length=16, verbose_name='status')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account', verbose_name='account')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statement_requests', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'statement request',
                'verbose_name_plural': 'statement requests',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True, verbose_name='id')),
                ('merchant', models.CharField(max_length=100, verbose_name='merchant')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(default='RUB', max_length=3, verbose_name='currency')),
                ('frequency', models.CharField(choices=[('once', 'once'), ('weekly', 'every week'), ('monthly', 'every month'), ('yearly', 'every year')], max_length=16, verbose_name='frequency')),
                ('last_charged_on', models.DateField(verbose_name='last charged on')),
                ('next_on', models.DateField(verbose_name='next on')),
                ('previous_minor', models.BigIntegerField(blank=True, null=True, verbose_name='previous amount')),
                ('increased_on', models.DateField(blank=True, null=True, verbose_name='increased on')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account', verbose_name='account')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='accounts.customer', verbose_name='customer')),
                ('evidence', models.ManyToManyField(related_name='+', to='accounts.accountline', verbose_name='evidence')),
            ],
            options={
                'verbose_name': 'subscription',
                'verbose_name_plural': 'subscriptions',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Suspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request_hash', models.CharField(max_length=64, verbose_name='request hash')),
                ('signs', models.CharField(max_length=128, verbose_name='signs')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('until', models.DateTimeField(verbose_name='until')),
                ('released_at', models.DateTimeField(blank=True, null=True, verbose_name='released at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'suspended order',
                'verbose_name_plural': 'suspended orders',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Tariff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=32, verbose_name='code')),
                ('currency', models.CharField(default='RUB', max_length=3, verbose_name='currency')),
                ('free_minor', models.BigIntegerField(default=0, verbose_name='free in a month')),
                ('rate_bp', models.PositiveIntegerField(default=0, verbose_name='rate, 1/100 %')),
                ('least_minor', models.BigIntegerField(default=0, verbose_name='at least')),
                ('most_minor', models.BigIntegerField(blank=True, null=True, verbose_name='at most')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='source')),
            ],
            options={
                'verbose_name': 'tariff',
                'verbose_name_plural': 'tariffs',
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('code', 'currency', 'valid_from'), name='tariff_is_one_per_date'), models.CheckConstraint(condition=models.Q(('free_minor__gte', 0), ('least_minor__gte', 0), ('rate_bp__lte', 10000), models.Q(('most_minor__isnull', True), ('most_minor__gte', models.F('least_minor')), _connector='OR')), name='tariff_is_in_range')],
            },
        ),
        migrations.AddIndex(
            model_name='account',
            index=models.Index(fields=['-opened_at', '-id'], name='account_by_time'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(fields=('bank', 'number'), name='account_number_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(condition=models.Q(('code', ''), _negated=True), fields=('code', 'currency'), name='account_code_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('code', ''), ('customer__isnull', False)), models.Q(('customer__isnull', True), models.Q(('code', ''), _negated=True)), _connector='OR'), name='account_is_a_customers_or_named'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('customer__isnull', True), ('number__isnull', True)), models.Q(('bank__isnull', False), ('currency', 'RUB'), ('customer__isnull', False), ('number__regex', '^[0-9]{5}810[0-9]{12}$')), models.Q(('bank__isnull', False), ('currency', 'USD'), ('customer__isnull', False), ('number__regex', '^[0-9]{5}840[0-9]{12}$')), models.Q(('bank__isnull', False), ('currency', 'EUR'), ('customer__isnull', False), ('number__regex', '^[0-9]{5}978[0-9]{12}$')), models.Q(('bank__isnull', False), ('currency', 'CNY'), ('customer__isnull', False), ('number__regex', '^[0-9]{5}156[0-9]{12}$')), models.Q(('bank__isnull', False), ('currency', 'JPY'), ('customer__isnull', False), ('number__regex', '^[0-9]{5}392[0-9]{12}$')), models.Q(('bank__isnull', False), ('currency', 'KWD'), ('customer__isnull', False), ('number__regex', '^[0-9]{5}414[0-9]{12}$')), _connector='OR'), name='account_number_fits_currency'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('currency__in', ['RUB', 'USD', 'EUR', 'CNY', 'JPY', 'KWD'])), name='account_currency_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['current', 'savings', 'deposit', 'credit', 'clearing', 'income', 'cash', 'equity', 'position'])), name='account_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('side__in', ['C', 'D'])), name='account_side_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['active', 'debit_blocked', 'blocked', 'closed'])), name='account_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('customer__isnull', True), models.Q(('is_guarded', True), ('side', 'C')), _connector='OR'), name='account_of_a_customer_is_guarded'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('credits_pending__gte', 0), ('credits_posted__gte', 0), ('debits_pending__gte', 0), ('debits_posted__gte', 0), ('overdraft_limit__gte', 0)), name='account_counters_are_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('is_guarded', False), models.Q(('credits_posted__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('debits_posted'), '+', models.F('debits_pending')), '-', models.F('overdraft_limit'))), ('side', 'C')), models.Q(('debits_posted__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('credits_posted'), '+', models.F('credits_pending')), '-', models.F('overdraft_limit'))), ('side', 'D')), _connector='OR'), name='account_is_not_overdrawn'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('status', 'closed'), _negated=True), ('closed_at__isnull', True)), models.Q(('closed_at__isnull', False), ('credits_pending', 0), ('credits_posted', models.F('debits_posted')), ('debits_pending', 0), ('status', 'closed')), _connector='OR'), name='account_is_empty_when_closed'),
        ),
        migrations.AddIndex(
            model_name='bill',
            index=models.Index(fields=['customer', 'status', 'due_on'], name='bill_by_due_date'),
        ),
        migrations.AddIndex(
            model_name='bill',
            index=models.Index(fields=['-issued_at', '-id'], name='bill_by_time'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.UniqueConstraint(fields=('biller', 'customer', 'reference', 'period_start'), name='bill_is_one_per_period'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['unpaid', 'processing', 'paid', 'cancelled'])), name='bill_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='bill_amount_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('paid_at__isnull', False), ('status', 'paid')), models.Q(models.Q(('status', 'paid'), _negated=True), ('paid_at__isnull', True)), _connector='OR'), name='bill_has_a_time_when_paid'),
        ),
        migrations.AddConstraint(
            model_name='capusage',
            constraint=models.UniqueConstraint(fields=('customer', 'code', 'period_start'), name='cap_is_one_per_period'),
        ),
        migrations.AddConstraint(
            model_name='capusage',
            constraint=models.CheckConstraint(condition=models.Q(('used_minor__gte', 0), ('used_minor__lte', models.F('cap_minor'))), name='cap_is_not_exceeded'),
        ),
        migrations.AddIndex(
            model_name='card',
            index=models.Index(fields=['-issued_at', '-id'], name='card_by_time'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['active', 'frozen', 'blocked_by_bank', 'lost', 'expired'])), name='card_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(('bin__regex', '^[0-9]{6}$'), ('last4__regex', '^[0-9]{4}$'), ('pan_digest__regex', '^[0-9a-f]{64}$')), name='card_keeps_no_full_number'),
        ),
        migrations.AddConstraint(
            model_name='card',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('purchases_day_minor__isnull', True), ('purchases_day_minor__gte', 0), _connector='OR'), models.Q(('purchases_month_minor__isnull', True), ('purchases_month_minor__gte', 0), _connector='OR'), models.Q(('cash_day_minor__isnull', True), ('cash_day_minor__gte', 0), _connector='OR'), models.Q(('online_minor__isnull', True), ('online_minor__gte', 0), _connector='OR')), name='card_limits_are_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('line',), name='dispute_is_one_per_line'),
        ),
        migrations.AddIndex(
            model_name='gatewayorder',
            index=models.Index(condition=models.Q(('answer__in', ['none', 'unknown'])), fields=['created_at'], name='gateway_order_open'),
        ),
        migrations.AddConstraint(
            model_name='gatewayorder',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer__in', ['none', 'unknown']), ('answered_at__isnull', True)), models.Q(('answer__in', ['accepted', 'refused']), ('answered_at__isnull', False)), _connector='OR'), name='gateway_order_has_a_time_when_answered'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['-created_at', '-id'], name='entry_by_creation'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('phase', 'pending')), fields=['expires_at'], name='entry_hold_by_expiry'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('operation', 'seq'), name='entry_seq_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('phase__in', ['posted', 'pending', 'post', 'void'])), name='entry_phase_is_known'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('currency__in', ['RUB', 'USD', 'EUR', 'CNY', 'JPY', 'KWD'])), name='entry_currency_is_known'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_minor', 0), ('phase', 'void')), models.Q(models.Q(('phase', 'void'), _negated=True), ('amount_minor__gt', 0), ('amount_minor__lte', 100000000000000)), _connector='OR'), name='entry_amount_is_in_range'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('debit', models.F('credit')), _negated=True), name='entry_accounts_differ'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('phase__in', ('post', 'void')), ('resolves__isnull', False)), models.Q(models.Q(('phase__in', ('post', 'void')), _negated=True), ('resolves__isnull', True)), _connector='OR'), name='entry_resolves_when_post_or_void'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('expires_at__isnull', False), ('phase', 'pending')), models.Q(models.Q(('phase', 'pending'), _negated=True), ('expires_at__isnull', True)), _connector='OR'), name='entry_expires_when_pending'),
        ),
        migrations.AddIndex(
            model_name='accountline',
            index=models.Index(fields=['account', 'booked_at', 'id'], name='line_by_time'),
        ),
        migrations.AddIndex(
            model_name='accountline',
            index=models.Index(fields=['account', 'category', 'booked_at'], name='line_by_category'),
        ),
        migrations.AddConstraint(
            model_name='accountline',
            constraint=models.UniqueConstraint(fields=('entry', 'account'), name='line_is_one_per_entry_and_account'),
        ),
        migrations.AddConstraint(
            model_name='accountline',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', ['in', 'out'])), name='line_direction_is_known'),
        ),
        migrations.AddConstraint(
            model_name='accountline',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['PDNG', 'BOOK', 'VOID'])), name='line_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='accountline',
            constraint=models.CheckConstraint(condition=models.Q(('category__in', ['groceries', 'restaurants', 'transport', 'fuel', 'housing', 'telecom', 'subscriptions', 'health', 'clothes', 'home', 'entertainment', 'travel', 'education', 'children', 'taxes', 'cash', 'transfers', 'own_transfers', 'fees', 'salary', 'pension', 'interest', 'refunds', 'loans', 'other'])), name='line_category_is_known'),
        ),
        migrations.AddConstraint(
            model_name='accountline',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='line_amount_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='accountline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('balance_after__isnull', False), ('status', 'BOOK')), models.Q(models.Q(('status', 'BOOK'), _negated=True), ('balance_after__isnull', True)), _connector='OR'), name='line_has_a_balance_when_booked'),
        ),
        migrations.AddIndex(
            model_name='payee',
            index=models.Index(fields=['-created_at', '-id'], name='payee_by_time'),
        ),
        migrations.AddConstraint(
            model_name='payee',
            constraint=models.UniqueConstraint(fields=('customer', 'kind', 'target_digest', 'bank'), name='payee_is_one_per_target', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='payee',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['own', 'sbp', 'requisites', 'biller'])), name='payee_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='payee',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['customer', 'app', 'counterparty'])), name='payee_origin_is_known'),
        ),
        migrations.AddConstraint(
            model_name='payee',
            constraint=models.CheckConstraint(condition=models.Q(('target_digest__regex', '^[0-9a-f]{64}$')), name='payee_target_is_a_digest'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['-created_at', '-id'], name='operation_by_time'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['customer', '-created_at', '-id'], name='operation_by_customer'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['created_at'], name='operation_still_pending'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(fields=('idem_scope', 'idem_key'), name='operation_key_is_used_once'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('pending', 'posted'))), fields=('bill',), name='operation_pays_a_bill_once'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['own_transfer', 'sbp_out', 'sbp_in', 'bill_payment', 'card_purchase', 'cash_withdrawal', 'incoming', 'fee', 'interest', 'opening', 'settlement', 'reversal', 'refund'])), name='operation_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'posted', 'voided', 'expired', 'reversed'])), name='operation_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['assistant', 'app', 'card', 'sbp', 'system'])), name='operation_source_is_known'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'reversal'), ('reverses__isnull', False)), models.Q(models.Q(('kind', 'reversal'), _negated=True), ('reverses__isnull', True)), _connector='OR'), name='operation_reverses_when_reversal'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('refunds__isnull', True), ('kind', 'refund'), _connector='OR'), name='operation_refunds_when_refund'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reverses__isnull', True), models.Q(('reverses', models.F('id')), _negated=True), _connector='OR'), models.Q(('refunds__isnull', True), models.Q(('refunds', models.F('id')), _negated=True), _connector='OR')), name='operation_does_not_undo_itself'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('idem_scope', ''), _negated=True), models.Q(('idem_key', ''), _negated=True), ('request_hash__regex', '^[0-9a-f]{64}$')), name='operation_has_a_key'),
        ),
        migrations.AddIndex(
            model_name='refusedorder',
            index=models.Index(fields=['customer', '-created_at', '-id'], name='refused_order_by_customer'),
        ),
        migrations.AddConstraint(
            model_name='refusedorder',
            constraint=models.UniqueConstraint(fields=('idem_scope', 'idem_key'), name='refused_order_key_is_used_once'),
        ),
        migrations.AddIndex(
            model_name='scheduledpayment',
            index=models.Index(fields=['customer', 'status', 'next_on'], name='scheduled_payment_by_date'),
        ),
        migrations.AddConstraint(
            model_name='scheduledpayment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='scheduled_amount_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='scheduledpayment',
            constraint=models.CheckConstraint(condition=models.Q(('day__gte', 1), ('day__lte', 31)), name='scheduled_day_is_of_a_month'),
        ),
        migrations.AddConstraint(
            model_name='scheduledpayment',
            constraint=models.CheckConstraint(condition=models.Q(('frequency__in', ['once', 'weekly', 'monthly', 'yearly'])), name='scheduled_frequency_is_known'),
        ),
        migrations.AddConstraint(
            model_name='scheduledpayment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('next_on__isnull', True), ('status', 'ended')), models.Q(('next_on__isnull', False), ('status__in', ['active', 'paused'])), _connector='OR'), name='scheduled_next_until_it_ends'),
        ),
        migrations.AddConstraint(
            model_name='statementrequest',
            constraint=models.CheckConstraint(condition=models.Q(('date_to__gte', models.F('date_from'))), name='statement_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(fields=('account', 'merchant'), name='subscription_is_one_per_merchant'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='subscription_amount_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('increased_on__isnull', True), ('previous_minor__isnull', True)), models.Q(('increased_on__isnull', False), ('previous_minor__isnull', False)), _connector='OR'), name='subscription_increase_is_whole'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.UniqueConstraint(condition=models.Q(('released_at__isnull', True)), fields=('customer', 'request_hash'), name='suspension_is_one_per_order'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.CheckConstraint(condition=models.Q(('until__gt', models.F('created_at'))), name='suspension_ends_after_it_starts'),
        ),
    ]
