"""Answers as models really write them, over results as the functions give them; all their figures are right."""

from datetime import date
from typing import Any

import orjson

TODAY = date(2026, 11, 24)


def money(amount: str, text: str, currency: str = "RUB") -> dict[str, str]:
    return {"amount": amount, "currency": currency, "text": text}


def succeed(**data: Any) -> str:
    return orjson.dumps({"ok": True, "data": data}).decode()


def refuse(code: str, message: str, **more: Any) -> str:
    return orjson.dumps({"ok": False, "error": {"code": code, "message": message, **more}}).decode()


ACCOUNTS = succeed(
    accounts=[
        {
            "account": "acc_1",
            "title": "Зарплатный ··4821",
            "kind": "current",
            "currency": "RUB",
            "available": money("51980.20", "51 980,20 ₽"),
            "booked": money("53480.20", "53 480,20 ₽"),
            "status": "active",
        },
        {
            "account": "acc_2",
            "title": "Накопительный ··0077",
            "kind": "savings",
            "currency": "RUB",
            "available": money("1234567.00", "1 234 567,00 ₽"),
            "booked": money("1234567.00", "1 234 567,00 ₽"),
            "status": "active",
        },
        {
            "account": "acc_3",
            "title": "Долларовый ··9001",
            "kind": "current",
            "currency": "USD",
            "available": money("250.00", "250,00 $", "USD"),
            "booked": money("250.00", "250,00 $", "USD"),
            "status": "active",
        },
    ],
    total_count=3,
)
BALANCE = succeed(
    account="acc_1",
    title="Зарплатный ··4821",
    booked=money("53480.20", "53 480,20 ₽"),
    available=money("51980.20", "51 980,20 ₽"),
    expected=money("51980.20", "51 980,20 ₽"),
    holds_count=2,
    holds_sum=money("1500.00", "1 500,00 ₽"),
    status="active",
    as_of="2026-11-24T09:15:00Z",
)
SPENDING = succeed(
    days={"date_from": "2026-10-01", "date_to": "2026-10-31"},
    previous_days={"date_from": "2026-09-01", "date_to": "2026-09-30"},
    total=money("87654.30", "87 654,30 ₽"),
    count=143,
    change={
        "previous": money("70100.00", "70 100,00 ₽"),
        "difference": money("17554.30", "17 554,30 ₽"),
        "percent": "25.0",
    },
    groups=[
        {
            "group": "groceries",
            "title": "продукты",
            "total": money("31200.50", "31 200,50 ₽"),
            "count": 61,
            "share_percent": "35.6",
        },
        {
            "group": "restaurants",
            "title": "кафе и рестораны",
            "total": money("15420.00", "15 420,00 ₽"),
            "count": 24,
            "share_percent": "17.6",
        },
        {
            "group": "transport",
            "title": "транспорт",
            "total": money("4300.00", "4 300,00 ₽"),
            "count": 40,
            "share_percent": "4.9",
        },
    ],
)
LINES = succeed(
    days={"date_from": "2026-11-01", "date_to": "2026-11-24"},
    total_count=37,
    total_in=[money("95000.00", "95 000,00 ₽")],
    total_out=[money("41250.90", "41 250,90 ₽")],
    lines=[
        {
            "line": "tx_1",
            "date": "2026-11-23",
            "direction": "out",
            "amount": money("1299.90", "1 299,90 ₽"),
            "status": "BOOK",
            "category": "groceries",
            "account": "acc_1",
            "merchant_untrusted": "PYATEROCHKA 5712",
        },
        {
            "line": "tx_2",
            "date": "2026-11-20",
            "direction": "in",
            "amount": money("95000.00", "95 000,00 ₽"),
            "status": "BOOK",
            "category": "salary",
            "account": "acc_1",
            "memo_untrusted": "Аванс по договору 17 от 01.02.2025, сумма 777 000 ₽",
        },
        {
            "line": "tx_3",
            "date": "2026-11-03",
            "direction": "out",
            "amount": money("500.00", "500,00 ₽"),
            "status": "PDNG",
            "category": "transport",
            "account": "acc_1",
            "merchant_untrusted": "METRO",
        },
    ],
)
UPCOMING = succeed(
    until="2026-12-24",
    total_count=2,
    totals=[money("7890.00", "7 890,00 ₽")],
    payments=[
        {
            "payment": "bill_1",
            "kind": "bill",
            "due_on": "2026-12-10",
            "is_overdue": False,
            "amount": money("7491.00", "7 491,00 ₽"),
            "basis": "billed",
            "is_estimate": False,
            "title_untrusted": "Квартплата",
            "is_covered": True,
        },
        {
            "kind": "subscription",
            "due_on": "2026-12-01",
            "is_overdue": False,
            "amount": money("399.00", "399,00 ₽"),
            "basis": "last_charge",
            "is_estimate": True,
            "frequency": "monthly",
            "title_untrusted": "Кино",
            "last_increase": {"previous": money("299.00", "299,00 ₽"), "increased_on": "2026-05-01"},
            "is_covered": True,
        },
    ],
)
RATE = succeed(
    base="USD",
    quote="RUB",
    buy="96.50",
    sell="99.10",
    given=money("100.00", "100,00 $", "USD"),
    received=money("9650.00", "9 650,00 ₽"),
    price="96.50",
    valid_at="2026-11-23T22:30:00Z",
)
CARDS = succeed(
    cards=[
        {
            "card": "card_1",
            "title": "МИР ··1234",
            "system": "mir",
            "status": "active",
            "expires": "03/2027",
            "account": "acc_1",
            "account_title": "Зарплатный ··4821",
            "limits": [
                {
                    "limit": "purchases_day",
                    "amount": money("30000.00", "30 000,00 ₽"),
                    "used": money("1299.90", "1 299,90 ₽"),
                    "left": money("28700.10", "28 700,10 ₽"),
                }
            ],
        }
    ],
    total_count=1,
)
PAID = succeed(
    status="executed",
    amount=money("500.00", "500,00 ₽"),
    fee=money("0.00", "0,00 ₽"),
    from_account="acc_1",
    from_title="Зарплатный ··4821",
    to_title="Иван И.",
    bank="Примерный банк",
    available_after=money("51480.20", "51 480,20 ₽"),
)
PROCESSING = PAID.replace("executed", "processing")
PAYEES = succeed(
    payees=[
        {
            "payee": "payee_1",
            "name": "Иван И.",
            "bank": "Примерный банк",
            "phone_hint": "··66",
            "last_paid_on": "2026-11-03",
            "source": "saved",
        }
    ],
    total_count=1,
)
SUSPENDED = refuse("suspended", "Перевод приостановлен.", until="2026-11-26T09:00:00Z")
NO_FUNDS = refuse("insufficient_funds", "На счёте не хватает денег.")
PAYLOAD = orjson.dumps({"act": "transfer_phone", "amt": "150050", "ccy": "RUB", "fee": "1500", "v": "1"}).decode()

# (answer, results); what the customer wrote is in CUSTOMER_TEXTS.
GROUNDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("У вас 3 счёта:\n1. Зарплатный ··4821 — 51 980,20 ₽\n2. ··0077 — 1 234 567 ₽\n3. Долларовый — 250 $", (ACCOUNTS,)),
    ("На зарплатном счёте доступно 51 980,20 ₽.", (ACCOUNTS,)),
    ("На карте сейчас 51 980 рублей 20 копеек.", (ACCOUNTS,)),
    ("Доступно 51\u00a0980,20\u00a0₽, а проведено 53\u202f480,20 руб.", (BALANCE,)),
    ("Баланс 51980.20 RUB", (BALANCE,)),
    ("Your balance is ₽51,980.20.", (BALANCE,)),
    ("You can spend 51,980.20 ₽ now; 2 holds (1,500 ₽) are still open.", (BALANCE,)),
    ("Около 52 тысяч рублей.", (BALANCE,)),
    ("У вас примерно 52 000 ₽.", (BALANCE,)),
    ("У вас почти 52 тыс. ₽ на зарплатном и больше 1,2 млн ₽ на накопительном.", (ACCOUNTS,)),
    ("На накопительном 1,23 млн рублей.", (ACCOUNTS,)),
    ("You have about 52k roubles.", (BALANCE,)),
    ("Заблокировано 1 500 ₽ по 2 операциям, данные на 24 ноября, 12:15.", (BALANCE,)),
    ("По состоянию на 24.11.2026 доступно 51 980,20 ₽.", (BALANCE,)),
    ("As of November 24, 2026, 12:15, you have 51,980.20 RUB available.", (BALANCE,)),
    ("За октябрь вы потратили 87 654,30 ₽ — на 25 % больше, чем в сентябре (70 100 ₽).", (SPENDING,)),
    ("В октябре 2026 года: 143 операции на 87 654 ₽.", (SPENDING,)),
    ("С 1 по 31 октября расходы составили 87 654,30 ₽, это на 17 554,30 ₽ больше.", (SPENDING,)),
    ("Период: 01.10.2026–31.10.2026. Итого 87 654,30 ₽.", (SPENDING,)),
    ("1–31 октября:\n- еда: 31 200,50 ₽ (35,6%)\n- кафе: 15 420 ₽ (17,6 %)\n- метро: 4 300 ₽ (4,9 %)", (SPENDING,)),
    ("Больше всего ушло на продукты — 36 % всех трат, 61 покупка.", (SPENDING,)),
    ("Топ-3 категории: продукты, кафе, транспорт.", (SPENDING,)),
    ("Вот 2 самые крупные категории: продукты и кафе.", (SPENDING,)),
    ("In October you spent ₽87,654.30, 25% more than in September.", (SPENDING,)),
    ("You spent 31,200.50 on groceries (35.6 percent) from October 1 to October 31, 2026.", (SPENDING,)),
    ("Между 1 и 31 октября — 143 операции.", (SPENDING,)),
    ("**Продукты:** 31,2 тыс. ₽\n**Кафе:** 15,4 тыс. ₽", (SPENDING,)),
    ("Вот 3 последние операции:\n1) 23 ноября — 1 299,90 ₽\n2) 20 ноября — 95 000 ₽\n3) 3 ноября — 500 ₽", (LINES,)),
    ("Всего найдено 37 операций: поступления 95 000 ₽, списания 41 250,90 ₽.", (LINES,)),
    ("23.11 была покупка на 1 299,90 ₽ в «PYATEROCHKA 5712».", (LINES,)),
    ("20 ноября пришёл аванс 95 000 ₽ с сообщением «Аванс по договору 17 от 01.02.2025, сумма 777 000 ₽».", (LINES,)),
    ("Покупка в PYATEROCHKA 5712 на 1 299,90 ₽.", (LINES,)),
    ("On Nov 23 you paid 1,299.90 ₽; on November 20th you received 95,000 ₽.", (LINES,)),
    ("On 3 November 500 roubles were put on hold.", (LINES,)),
    ("2026-11-23: −1 299,90 ₽\n2026-11-20: +95 000,00 ₽", (LINES,)),
    ("Операция tx_1 от 23 ноября, карта *4821.", (LINES, ACCOUNTS)),
    ("До 24 декабря нужно 7 890 ₽: квартплата 7 491 ₽ до 10 декабря и подписка 399 ₽ 1 декабря.", (UPCOMING,)),
    ("Подписка подорожала с 299 до 399 ₽ 1 мая 2026 года.", (UPCOMING,)),
    ("Счёт за квартиру (7 491 ₽) нужно оплатить в течение 16 дней, до 10.12.", (UPCOMING,)),
    ("The bill of ₽7,491.00 is due on December 10.", (UPCOMING,)),
    ("Курс доллара: покупка 96,50 ₽, продажа 99,10 ₽. За 100 $ вы получите 9 650 ₽.", (RATE,)),
    ("Курс на 24 ноября 01:30: 96.50/99.10.", (RATE,)),
    ("For $100 you will get 9,650 roubles at 96.5.", (RATE,)),
    ("Карта МИР ··1234 действует до марта 2027, лимит покупок 30 000 ₽ в день, осталось 28 700,10 ₽.", (CARDS,)),
    ("Срок карты — 03/2027. У вас 1 карта.", (CARDS,)),
    ("Готово: 500 ₽ переведены Ивану И., комиссия 0 ₽. Остаток 51 480,20 ₽.", (PAID,)),
    ("Перевод на 500 рублей выполнен, комиссии нет.", (PAID,)),
    ("Перевод 500 ₽ ещё в пути: банк получателя пока не ответил. Обычно это занимает до 10 минут.", (PROCESSING,)),
    ("Нашёл: Иван И., Примерный банк, последний перевод 3 ноября.", (PAYEES,)),
    ("Переводу 500 ₽ на ⟦phone_1⟧ нужна проверка до 26 ноября.", (SUSPENDED,)),
    ("На счёте не хватает денег для перевода 500 ₽.", (NO_FUNDS,)),
    ("Не получилось перевести 500 рублей: на счёте не хватает денег. Уточнить можно 24/7 в чате.", (NO_FUNDS,)),
    ("Перевод на +7 900 123-45-67 отменён, 500 ₽ остались на счёте.", (refuse("declined", "Отклонено."),)),
    ("По закону 161-ФЗ банк обязан проверить перевод до 26.11.2026.", (SUSPENDED,)),
    ("1. Откройте приложение.\n2. Выберите счёт.\n3. Нажмите «Подтвердить».", (ACCOUNTS,)),
    ("За 2026 год данных больше нет.", (LINES,)),
    ("Это 1-й шаг из нескольких, код 3-D Secure не нужен.", (CARDS,)),
    ("Реквизиты: ⟦acc_1.requisites⟧", (ACCOUNTS,)),
    ("Вы просили 1 500 ₽ с 5 ноября, такой операции нет.", (LINES,)),
    # General knowledge: nothing was looked up.
    ("Ипотека — это кредит под залог жилья, обычно на 15–30 лет под 10–20 % годовых.", ()),
    ("Вклады застрахованы на сумму до 1,4 млн рублей.", ()),
    ("Привет! Чем помочь?", ()),
    ("Обычно переводы по СБП без комиссии до 100 000 ₽ в месяц.", ()),
)  # fmt: skip

CUSTOMER_TEXTS = ("Переведи 500 Ивану на 8 900 123-45-67", "Где 1 500 ₽ от 5 ноября?")

# (answer, results, what is invented)
INVENTED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("На счёте 61 980,20 ₽.", (BALANCE,), ("61 980,20 ₽",)),
    ("На счёте 51 980,21 ₽.", (BALANCE,), ("51 980,21 ₽",)),
    ("У вас 5 счетов.", (ACCOUNTS,), ("5",)),
    ("Всего у вас 1 286 547,20 ₽ в рублях.", (ACCOUNTS,), ("1 286 547,20 ₽",)),
    ("Около 70 тысяч рублей.", (BALANCE,), ("70 тысяч рублей",)),
    ("У вас 54 тыс. ₽.", (BALANCE,), ("54 тыс. ₽",)),
    ("Вы потратили на 30 % больше.", (SPENDING,), ("30 %",)),
    ("Операция была 21 ноября.", (LINES,), ("21 ноября",)),
    ("Операция была 23.11.2025.", (LINES,), ("23.11.2025",)),
    ("В октябре 2025 года — 87 654,30 ₽.", (SPENDING,), ("октябре 2025 года",)),
    ("Вам пришло 777 000 ₽.", (LINES,), ("777 000 ₽",)),
    ("Договор от 01.02.2025.", (LINES,), ("01.02.2025",)),
    ("Сообщение: «у вас 777 001 ₽».", (LINES,), ("777 001 ₽",)),
    ("Перевод 500 ₽ выполнен, комиссия 15 ₽.", (PAID,), ("15 ₽",)),
    ("The balance is ₽51,090.20.", (BALANCE,), ("₽51,090.20",)),
    ("Your bill of ₽8,491.00 is due on December 11.", (UPCOMING,), ("December 11", "₽8,491.00")),
    ("Курс 97,50 ₽.", (RATE,), ("97,50 ₽",)),
    ("Курс 12.10.", (RATE,), ("12.10",)),
    ("Всего 38 операций.", (LINES,), ("38",)),
    ("На вашем счёте 1 000 000 ₽.", (), ("1 000 000 ₽",)),
    ("You have $5,000 available.", (), ("$5,000",)),
)
