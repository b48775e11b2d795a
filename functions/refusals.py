"""What each closed code says to the model, and which code each refusal of the bank becomes: the one table. Pure."""

from collections.abc import Mapping

from accounts.errors import (
    AccountsError,
    AccountUnavailable,
    AlreadyDisputed,
    AlreadyPaid,
    AmountOutOfRange,
    BillUnavailable,
    CapExceeded,
    CardUnavailable,
    CurrencyMismatch,
    GatewayRefused,
    GatewayUnavailable,
    InsufficientFunds,
    MoneyMalformed,
    NotFound,
    PayeeUnavailable,
    RequisitesMalformed,
    SameAccount,
    StatementTooLong,
    TransferSuspended,
)
from functions.errors import CallRefused, Code

ASK_LATER = "Скажи клиенту, что сейчас это не получилось, и предложи попробовать позже."
# The message, and what may help.
MESSAGES: Mapping[Code, tuple[str, str]] = {
    Code.UNKNOWN_FUNCTION: ("Такой функции нет.", "Вызывай только функции из списка."),
    Code.NOT_ALLOWED: ("Эта функция здесь недоступна.", "Скажи клиенту, что помочь с этим нельзя."),
    Code.INVALID_ARGUMENTS: ("Аргументы не подходят.", "Исправь поля из fields и вызови ещё раз."),
    Code.UNKNOWN_REFERENCE: ("Такой ссылки нет в этом разговоре.", "Возьми ссылку из ответа функции."),
    Code.AMBIGUOUS_REFERENCE: ("Подходит несколько.", "Спроси клиента, что он имеет в виду."),
    Code.INSUFFICIENT_FUNDS: ("На счёте не хватает денег.", "Скажи об этом; предложи другой счёт или сумму."),
    Code.CAP_EXCEEDED: ("Это превышает лимит.", "Назови лимит, если он известен, и предложи меньшую сумму."),
    Code.ACCOUNT_UNAVAILABLE: ("Счёт закрыт или заблокирован.", "Предложи другой счёт."),
    Code.CARD_UNAVAILABLE: ("Карта недоступна для этого.", "Скажи об этом; предложи другую карту."),
    Code.SAME_ACCOUNT: ("Это один и тот же счёт.", "Уточни у клиента, на какой счёт перевести."),
    Code.CURRENCY_MISMATCH: ("Валюты не совпадают.", "Предложи счета в одной валюте."),
    Code.PAYEE_NOT_FOUND: ("Получатель не найден.", "Попроси клиента уточнить имя или написать телефон."),
    Code.PAYEE_NEEDS_CHOICE: ("Получателя должен выбрать клиент.", "Попроси клиента указать получателя."),
    Code.STEP_UP_REQUIRED: ("Нужно ещё раз ввести пароль в приложении.", "Попроси клиента сделать это."),
    Code.SUSPENDED: ("Перевод приостановлен для проверки.", "Скажи об этом и о сроке, если он указан."),
    Code.DECLINED: ("Отклонено.", "Скажи клиенту, что операция не выполнена."),
    Code.EXPIRED: ("Время на подтверждение вышло.", "Скажи об этом; по просьбе клиента вызови функцию заново."),
    Code.SUPERSEDED: ("Это уже не ждёт подтверждения.", "Ответь на последнее сообщение клиента."),
    Code.DUPLICATE: ("Это уже сделано.", "Скажи клиенту, что повторять не нужно."),
    Code.TOO_MANY_CALLS: ("Слишком много вызовов.", "Больше не вызывай функции; ответь тем, что уже известно."),
    Code.REPEATED_CALL: ("Этот вызов уже не удался.", "Больше не вызывай функции; ответь тем, что уже известно."),
    Code.TIMEOUT: ("Банк не успел ответить.", ASK_LATER),
    Code.TEMPORARILY_UNAVAILABLE: ("Сервис сейчас недоступен.", ASK_LATER),
    Code.INTERNAL: (
        "Внутренняя ошибка банка.",
        "Извинись перед клиентом, не называй никаких цифр и не угадывай; предложи попробовать позже.",
    ),
}
RETRIED = frozenset({Code.TIMEOUT, Code.TEMPORARILY_UNAVAILABLE})
# What is missing here can only be our own mistake, and is told as one.
TRANSLATIONS: Mapping[type[AccountsError], Code] = {
    InsufficientFunds: Code.INSUFFICIENT_FUNDS,
    CapExceeded: Code.CAP_EXCEEDED,
    AccountUnavailable: Code.ACCOUNT_UNAVAILABLE,
    CardUnavailable: Code.CARD_UNAVAILABLE,
    SameAccount: Code.SAME_ACCOUNT,
    CurrencyMismatch: Code.CURRENCY_MISMATCH,
    AmountOutOfRange: Code.INVALID_ARGUMENTS,
    MoneyMalformed: Code.INVALID_ARGUMENTS,
    RequisitesMalformed: Code.INVALID_ARGUMENTS,
    StatementTooLong: Code.INVALID_ARGUMENTS,
    PayeeUnavailable: Code.PAYEE_NOT_FOUND,
    AlreadyPaid: Code.DUPLICATE,
    AlreadyDisputed: Code.DUPLICATE,
    BillUnavailable: Code.UNKNOWN_REFERENCE,
    NotFound: Code.UNKNOWN_REFERENCE,
    GatewayRefused: Code.DECLINED,
    GatewayUnavailable: Code.TEMPORARILY_UNAVAILABLE,
    TransferSuspended: Code.SUSPENDED,
}


def translate_error(error: AccountsError) -> CallRefused:
    """Return the refusal that a function answers with for an error of the bank."""
    code = TRANSLATIONS.get(type(error), Code.INTERNAL)
    return CallRefused(code, can_retry=code in RETRIED)
