"""Words a customer uses for the values that functions name in English. Phrases as `text.score_phrase` reads them."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "lost": ("потер", "=lost"),
    "stolen": ("украл", "украд", "stolen"),
    "suspicious": ("подозр", "suspicious", "=не =я"),
    "temporary": ("времен", "=время", "замороз", "temporar", "freeze"),
    "category": ("категор", "categor", "=на что"),
    "merchant": ("магазин", "merchant", "=где", "=shops"),
    "month": ("месяц", "month"),
    "this_month": ("=этом месяц", "=этот месяц", "=this month", "месяц", "month"),
    "last_month": ("прошл месяц", "last month"),
    "last_30_days": ("=30 дней", "последн месяц", "=30 days"),
    "this_week": ("недел", "week"),
    "last_week": ("прошл недел", "last week"),
    "week": ("недел", "week"),
    "today": ("сегодня", "today"),
    "yesterday": ("вчера", "yesterday"),
    "year": ("=год", "=году", "year"),
    "this_year": ("=год", "=году", "=года", "=этот год", "=этом году", "year", "=this year"),
    "usd": ("доллар", "=usd", "dollar"),
    "eur": ("=евро", "=eur", "=euro", "=euros"),
    "cny": ("юан", "=cny", "yuan"),
    "rub": ("рубл", "=rub", "rouble", "ruble"),
    "purchases_day": ("покупк", "purchase"),
    "purchases_month": ("покупк месяц", "purchase month"),
    "cash_day": ("наличн", "снят", "cash"),
    "online": ("интернет", "онлайн", "online"),
    "in": ("поступлен", "пришл", "зачислен", "income", "received"),
    "out": ("списан", "потрат", "=spent", "outgoing"),
    "pdf": ("=pdf",),
    "csv": ("=csv", "таблиц", "excel"),
    "bill": ("=счет", "счета", "квитанц", "неоплач", "жкх", "=bill", "=bills"),
    "scheduled": ("регулярн", "автоплат", "заплан", "scheduled"),
    "subscription": ("подписк", "subscript"),
    "food": ("=еду", "=еда", "продукт", "=food", "grocer"),
    "groceries": ("=еду", "=еда", "=еде", "продукт", "супермаркет", "grocer", "=food"),
    "restaurants": ("ресторан", "=кафе", "restaurant", "=cafes"),
    "transport": ("транспорт", "такси", "метро", "transport", "=taxi"),
    "fuel": ("бензин", "топлив", "заправк", "fuel", "petrol"),
    "housing": ("жкх", "коммунал", "квартплат", "жиль", "housing", "utilit"),
    "telecom": ("связь", "мобильн", "telecom", "mobile"),
    "subscriptions": ("подписк", "subscript"),
    "health": ("аптек", "врач", "здоров", "лекарств", "health", "pharmac"),
    "clothes": ("одежд", "обув", "cloth", "shoes"),
    "entertainment": ("развлеч", "=кино", "entertainment"),
    "travel": ("путешеств", "поездк", "отпуск", "travel"),
    "education": ("образован", "учеб", "курсы", "education"),
    "children": ("детей", "ребен", "children", "=kids"),
    "taxes": ("налог", "штраф", "taxes"),
    "fees": ("комисси", "=fees", "=fee"),
    "salary": ("зарплат", "salary", "wages"),
    "pension": ("пенси", "pension"),
    "interest": ("процент", "interest"),
    "refunds": ("возврат", "refund"),
}
# What a choice means when the same word would mean a period elsewhere.
GROUPS: dict[str, tuple[str, ...]] = {
    "category": SYNONYMS["category"],
    "merchant": SYNONYMS["merchant"],
    "month": ("=месяцам", "помесяч", "ежемесяч", "=by month", "monthly", "each month"),
}
PERIODS = ("last_month", "this_month", "month", "week", "today", "yesterday", "year")
CURRENCIES = ("usd", "eur", "cny", "rub")
# A required choice nobody made: what can be undone most easily.
SAFEST = ("temporary",)

# Stems by which a customer calls accounts of a kind or currency, whatever their titles are.
ACCOUNT_WORDS: dict[str, tuple[str, ...]] = {
    "current": ("карт", "текущ", "зарп", "осно", "дебе", "card", "curr", "main", "sala", "debi"),
    "savings": ("нако", "копи", "сбер", "savi"),
    "deposit": ("вкла", "депо", "depo"),
    "credit": ("кред", "cred"),
    "USD": ("долл", "usd", "doll"),
    "EUR": ("евро", "eur", "euro"),
    "CNY": ("юан", "юаня", "cny", "yuan"),
}
# Stems of what a bill is for, and of words in the titles of those who send it.
BILL_WORDS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("квар", "комм", "жкх", "дом", "жиль", "apar", "hous", "rent"), ("дом", "ук", "жкх", "квар")),
    (("свет", "элек", "энер", "elec", "powe"), ("энер",)),
    (("инте", "связ", "теле", "mobi", "phon"), ("связ", "теле", "инте")),
    (("ремо", "repa"), ("ремо", "капи")),
    (("школ", "обед", "scho"), ("школ", "обед")),
)
MONTHS = (
    ("январ", "january"),
    ("феврал", "february"),
    ("март", "march"),
    ("апрел", "april"),
    ("ма[йяе]", "may"),
    ("июн", "june"),
    ("июл", "july"),
    ("август", "august"),
    ("сентябр", "september"),
    ("октябр", "october"),
    ("ноябр", "november"),
    ("декабр", "december"),
)
