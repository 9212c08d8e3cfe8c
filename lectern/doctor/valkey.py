"""Valkey answers, keeps what it is told, and never throws a job away for want of memory."""

import redis

from lectern.doctor.finding import Finding, bad, good
from lectern.doctor.unset import unset
from lectern.settings import Settings

ANSWER_SECONDS = 3.0


def queue(settings: Settings) -> Finding:
    """One INFO says it all."""
    url = settings.storage.valkey_url
    if not url:
        return unset("LECTERN_STORAGE_VALKEY_URL", settings)
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS, retry=None
        ) as connection:
            info = connection.info()
    except redis.RedisError as error:
        return bad(f"no answer: {error}", "start it, or mend LECTERN_STORAGE_VALKEY_URL")
    if info["loading"]:
        return bad("still reads its data", "wait until it has")
    if not info["aof_enabled"]:
        return bad("appendonly is off: jobs are lost with a restart", "start it with `appendonly yes`")
    policy = info["maxmemory_policy"]
    if policy != "noeviction":
        return bad(f"maxmemory-policy is {policy}: jobs may be thrown away", "set `maxmemory-policy noeviction`")
    version = info.get("valkey_version") or info["redis_version"]
    return good(f"version {version}, appendonly, noeviction")
