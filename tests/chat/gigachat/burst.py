"""One process of a burst: many tasks and threads ask for a token at once. Started by test_tokens as a module.

Arguments: OAuth address, certificate file, fingerprint, Redis address, number of callers. It says `ready`, waits for a
line, says `asking` once every caller has asked, and then the tokens they got.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from chat.gigachat.oauth import Token, TokenService
from chat.gigachat.tls import build_ssl_context
from chat.gigachat.tokens import TokenKeeper
from tests.chat.gigachat.scripted import CREDENTIALS


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def ask_all(keeper: TokenKeeper, count: int) -> list[str]:
    """Ask from `count` callers, half of them tasks of this loop and half of them threads."""

    async def ask_in_task() -> str:
        found = keeper.request_token()
        return (found if isinstance(found, Token) else await asyncio.shield(asyncio.wrap_future(found))).value

    def ask_in_thread() -> str:
        return keeper.get_token().value

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=count) as threads:
        tasks = [loop.create_task(ask_in_task()) for _ in range(count // 2)]
        waits = [loop.run_in_executor(threads, ask_in_thread) for _ in range(count - count // 2)]
        await asyncio.sleep(0)
        say("asking")
        return [*await asyncio.gather(*tasks), *await asyncio.gather(*waits)]


def main(auth_url: str, ca_file: str, ca_sha256: str, redis_url: str, count: str) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.configure(CACHES={"default": {"BACKEND": backend, "LOCATION": redis_url}})
    context = build_ssl_context(ca_file, ca_sha256)
    keeper = TokenKeeper(CREDENTIALS, TokenService(url=auth_url, ssl_context=context))
    say("ready")
    sys.stdin.readline()
    say(*asyncio.run(ask_all(keeper, int(count))))
    keeper.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
