"""Paths only."""

from django.urls import path

from accounts.api.bank.accounts import AccountListView, AccountView, BalanceView, RequisitesView
from accounts.api.bank.products import (
    BillListView,
    CardListView,
    PayeeListView,
    RateListView,
    ScheduledPaymentListView,
    SubscriptionListView,
)
from accounts.api.bank.statements import OrderedStatementView, StatementView
from accounts.api.bank.transactions import AccountLineListView, LineListView, LineView
from accounts.api.security import DeviceKeyChallengeView, DeviceKeyListView, DeviceKeyView, StepUpView
from accounts.api.views import LoginView, LogoutView, MeView, RefreshView

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/refresh", RefreshView.as_view(), name="refresh"),
    path("auth/logout", LogoutView.as_view(), name="logout"),
    path("auth/step-up", StepUpView.as_view(), name="step-up"),
    path("devices/keys", DeviceKeyListView.as_view(), name="device-keys"),
    path("devices/keys/challenge", DeviceKeyChallengeView.as_view(), name="device-key-challenge"),
    path("devices/keys/<str:key_id>", DeviceKeyView.as_view(), name="device-key"),
    path("me", MeView.as_view(), name="me"),
    path("accounts", AccountListView.as_view(), name="accounts"),
    path("accounts/<str:account_id>", AccountView.as_view(), name="account"),
    path("accounts/<str:account_id>/balance", BalanceView.as_view(), name="balance"),
    path("accounts/<str:account_id>/requisites", RequisitesView.as_view(), name="requisites"),
    path("accounts/<str:account_id>/transactions", AccountLineListView.as_view(), name="account-transactions"),
    path("accounts/<str:account_id>/statement", StatementView.as_view(), name="statement"),
    path("statements/<str:request_id>", OrderedStatementView.as_view(), name="ordered-statement"),
    path("transactions", LineListView.as_view(), name="transactions"),
    path("transactions/<str:line_id>", LineView.as_view(), name="transaction"),
    path("cards", CardListView.as_view(), name="cards"),
    path("payees", PayeeListView.as_view(), name="payees"),
    path("bills", BillListView.as_view(), name="bills"),
    path("scheduled-payments", ScheduledPaymentListView.as_view(), name="scheduled-payments"),
    path("subscriptions", SubscriptionListView.as_view(), name="subscriptions"),
    path("rates", RateListView.as_view(), name="rates"),
]
