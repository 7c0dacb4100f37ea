"""Redis Streams: a stream for each publishing module, a consumer group for each deployable.

Nothing durable lives here. The sender keeps an event until the reader has answered that it is kept,
or is for a module that is elsewhere. The answers stand in a hash beside the stream: an event that
has one of the stream's entries there is under way, and is not put there again; of one that was
forgotten, whether by a crash, a fail-over or an operator, there is no answer, and it is sent again.

Order: one reader of a group at a time, by a lease on the stream. What was read and not
acknowledged, by whomever, is taken again before anything new. The lease is checked and renewed in
the script that reads, so a reader that lost it, however long it was paused, reads nothing more.
What it had read before it may still keep: duplicates of what its successor took first.

Trimming: with each acknowledgement goes what every group has acknowledged, and nothing else. The
sender makes the group of the receiver, so what waits for one that never started waits.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from monolift.events.streams.envelope import MAX_BYTES, Arrived, Envelope, read, rejected
from monolift.events.streams.port import Accept, Misplaced, UnderWay
from monolift.events.streams.sending import PATIENCE, Patience, encoded, settle
from monolift.kernel.errors import Unavailable
from monolift.kernel.ids import uuid7_text

_CONSUMER = "reader"  # the lease says which process it is
_COUNT = 100
_OFFERED = 1000
_LONGEST_WAIT = 5.0  # seconds; less than the socket's timeout
_SOCKET_TIMEOUT = 10.0
_FIRST_LOOK, _LAST_LOOK = 0.002, 0.05  # seconds between two looks for answers
_REMEMBERED = 24 * 3600  # seconds that answers nobody asks for are kept

# KEYS: stream, answers. ARGV: group, seconds to remember, pairs of an event's id and its message.
# Puts there what is not there, unless its message is empty; returns the answer for each: "kept" or
# "elsewhere" once, "sent" while it is under way, else "lost".
_OFFER = """
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
local answers = {}
for index = 3, #ARGV, 2 do
  local event, message = ARGV[index], ARGV[index + 1]
  local answer = redis.call('HGET', KEYS[2], event)
  if answer == 'kept' or answer == 'elsewhere' then
    redis.call('HDEL', KEYS[2], event)
  elseif answer and #redis.call('XRANGE', KEYS[1], answer, answer) > 0 then
    answer = 'sent'
  elseif message == '' then
    answer = 'lost'
  else
    local id = redis.call('XADD', KEYS[1], '*', 'to', ARGV[1], 'event', message)
    redis.call('HSET', KEYS[2], event, id)
    redis.call('EXPIRE', KEYS[2], ARGV[2])
    answer = 'sent'
  end
  answers[#answers + 1] = answer
end
return answers
"""

# KEYS: stream, lease. ARGV: group, token, lease in ms, how many, whether to make the group. Returns
# whether it is ours to read, the last id of the stream, and entries: what is pending, and only if
# nothing is, what is new.
_TAKE = """
if ARGV[5] == '0' then
  local ours = false
  if redis.call('EXISTS', KEYS[1]) == 1 then
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
      ours = ours or group[2] == ARGV[1]
    end
  end
  if not ours then return {0, false, {}} end
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local newest = last[1] and last[1][1] or '0-0'
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[2] then return {0, newest, {}} end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
local pending = redis.call(
  'XAUTOCLAIM', KEYS[1], ARGV[1], '{consumer}', 0, '0-0', 'COUNT', ARGV[4])[2]
if #pending > 0 then return {1, newest, pending} end
local fresh = redis.call(
  'XREADGROUP', 'GROUP', ARGV[1], '{consumer}', 'COUNT', ARGV[4], 'STREAMS', KEYS[1], '>')
return {1, newest, fresh and fresh[1][2] or {}}
""".replace("{consumer}", _CONSUMER)

# KEYS: stream, answers. ARGV: group, and of each entry its id, its event's and the answer, which is
# for whoever waits for one. Acknowledges, and trims to the first entry that some group needs.
_ACKNOWLEDGE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for index = 2, #ARGV, 3 do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[index])
  if redis.call('HEXISTS', KEYS[2], ARGV[index + 1]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[index + 1], ARGV[index + 2])
  end
end
local function parts(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(seq)
end
local least, least_ms, least_seq
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local info = {}
  for index = 1, #group, 2 do info[group[index]] = group[index + 1] end
  local id = info['last-delivered-id']
  if info['pending'] > 0 then id = redis.call('XPENDING', KEYS[1], info['name'])[2] end
  local ms, seq = parts(id)
  if not least or ms < least_ms or (ms == least_ms and seq < least_seq) then
    least, least_ms, least_seq = id, ms, seq
  end
end
if least then return redis.call('XTRIM', KEYS[1], 'MINID', least) end
return 0
"""

# KEYS: lease. ARGV: token.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisStream:
    """See `port.Source`. One server, or one with replicas; not a cluster. Redis 7 or later."""

    def __init__(
        self,
        *,
        url: str,
        name: str,
        publishers: Callable[[], Sequence[str]],
        others: Callable[[], Sequence[str]] = tuple,
        lease: float = 30.0,
        patience: float = PATIENCE,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`name` is the deployable that it reads for, `publishers` whose streams it then reads.

        Of the `others` it reads those in which something was once sent to it: modules may have left
        it since, and what had come for them by then is still to be answered.
        `lease` is seconds after which another reader takes over from one that does not come back,
        `patience` those that `send` waits for one that reads. `options` are redis-py's.
        """
        given = {
            "socket_timeout": _SOCKET_TIMEOUT,
            "socket_connect_timeout": _SOCKET_TIMEOUT,
            # Once, for a connection that the server closed meanwhile. A duplicate is harmless.
            "retry": Retry(NoBackoff(), 1),
            **(options or {}),
        }
        self._name = name
        self._publishers = publishers
        self._others = others
        self._lease = lease
        self._token = uuid7_text()
        self._patience = Patience(patience)
        try:
            self._redis: Redis = Redis.from_url(url, **given)
            pool = self._redis.connection_pool
            pool.connection_class(**pool.connection_kwargs)  # takes the options; connects later
        except (ValueError, TypeError):
            raise ImproperlyConfigured(
                "MONOLIFT['STREAM_URL'] or ['STREAM_OPTIONS'] cannot be used: give a URL like "
                '"redis://user:password@host:6379/0", and arguments that redis-py takes.'
            ) from None
        self._offer: Any = self._redis.register_script(_OFFER)
        self._take: Any = self._redis.register_script(_TAKE)
        self._acknowledge: Any = self._redis.register_script(_ACKNOWLEDGE)
        self._release: Any = self._redis.register_script(_RELEASE)

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        refused: dict[str, str] = {}
        misplaced: set[str] = set()
        try:
            for source in dict.fromkeys(envelope.source for envelope in batch):
                messages, wrong = encoded([one for one in batch if one.source == source])
                refused |= wrong
                misplaced |= self._until_kept(source, to, messages)
        except RedisError as error:
            raise self._unavailable(error) from error
        settle(to, misplaced=misplaced, refused=refused)

    def _until_kept(self, source: str, to: str, messages: Mapping[str, bytes]) -> set[str]:
        """Wait until all are kept, or (those it returns) answered as for modules elsewhere."""
        until = self._patience.until(to)
        pause = _FIRST_LOOK
        misplaced: set[str] = set()
        waiting: dict[str, str] = dict.fromkeys(messages, "lost")
        while waiting:
            given = [(one, messages[one] if waiting[one] == "lost" else b"") for one in waiting]
            for part in _parts(given):
                answers = self._offer(
                    keys=[stream_key(source), answers_key(source, to)],
                    args=[to, _REMEMBERED, *(value for pair in part for value in pair)],
                )
                for (event, _), answer in zip(part, answers, strict=True):
                    waiting[event] = answer.decode()
            misplaced |= {event for event, answer in waiting.items() if answer == "elsewhere"}
            before = len(waiting)
            waiting = {one: found for one, found in waiting.items() if found in ("sent", "lost")}
            if len(waiting) < before:
                self._patience.answered(to)
            if waiting and time.monotonic() >= until:
                self._patience.silent(to)
                raise UnderWay("the Redis stream", f"{to} has not read it yet")
            if waiting:
                time.sleep(pause)
                pause = min(2 * pause, _LAST_LOOK)
        return misplaced

    def start(self) -> None:
        """See `port.Source`."""
        try:
            self._redis.ping()
        except RedisError as error:
            raise self._unavailable(error) from error

    def receive(self, *, accept: Accept, wait: float) -> int:
        """See `port.Source`."""
        until = time.monotonic() + wait
        try:
            while True:
                newest: dict[str, bytes] = {}
                count = 0
                for publisher in self._publishers():
                    newest[stream_key(publisher)] = b"0-0"
                    count += self._receive(publisher, accept, newest, wanted=True)
                for publisher in self._others():
                    count += self._receive(publisher, accept, newest, wanted=False)
                left = until - time.monotonic()
                if count or left <= 0:
                    return count
                self._wait(newest, min(left, _LONGEST_WAIT))
        except RedisError as error:
            raise self._unavailable(error) from error

    def _receive(
        self, publisher: str, accept: Accept, newest: dict[str, bytes], *, wanted: bool
    ) -> int:
        key = stream_key(publisher)
        _, last, entries = self._take(
            keys=[key, lease_key(publisher, self._name)],
            args=[self._name, self._token, int(self._lease * 1000), _COUNT, int(wanted)],
        )
        if last is None:
            return 0
        newest[key] = last
        messages = [_message(entry[1] or (), publisher) for entry in entries]
        arrived = [one for to, one in messages if to == self._name]
        misplaced: frozenset[str] = frozenset()
        try:
            if arrived:
                accept(arrived)
        except Misplaced as error:
            misplaced = error.events
        if entries:
            answers: list[Any] = []
            for entry, (to, one) in zip(entries, messages, strict=True):
                answer = "elsewhere" if one.id in misplaced else "kept"
                answers += (entry[0], one.id if to == self._name else "", answer)
            self._acknowledge(
                keys=[key, answers_key(publisher, self._name)], args=[self._name, *answers]
            )
        return len(entries)

    def _wait(self, newest: Mapping[str, bytes], seconds: float) -> None:
        """Until something newer is in one of the streams. It only looks: scripts read."""
        if newest:
            block = max(1, int(seconds * 1000))
            self._redis.xread(dict[Any, Any](newest), count=1, block=block)
        else:
            time.sleep(seconds)

    def stop(self) -> None:
        """See `port.Stream`. Lets another reader take over at once."""
        try:
            for publisher in (*self._publishers(), *self._others()):
                self._release(keys=[lease_key(publisher, self._name)], args=[self._token])
        except RedisError:
            pass  # the lease ends by itself
        self._redis.close()

    @staticmethod
    def _unavailable(error: RedisError) -> Unavailable:
        return Unavailable("the Redis stream", f"{type(error).__name__}: {error}")


def stream_key(publisher: str) -> str:
    """The stream of a publishing module."""
    return f"monolift:events:{{{publisher}}}"


def answers_key(publisher: str, group: str) -> str:
    """What became of the events of that stream for a deployable."""
    return f"{stream_key(publisher)}:answers:{group}"


def lease_key(publisher: str, group: str) -> str:
    """Who reads that stream for a deployable."""
    return f"{stream_key(publisher)}:reader:{group}"


def _message(fields: Sequence[bytes], publisher: str) -> tuple[str, Arrived]:
    """Whom an entry is for, and its message."""
    found = dict(zip(fields[::2], fields[1::2], strict=False))
    to = found.get(b"to", b"").decode(errors="replace")
    message = found.get(b"event")
    if message is None:
        reason = "The entry has no field `event`."
        return to, rejected(b" ".join(fields), reason, source=publisher)
    return to, read(message, source=publisher)


def _parts(given: Sequence[tuple[str, bytes]]) -> list[list[tuple[str, bytes]]]:
    """What is given to one call each: as much as a batch may have."""
    parts: list[list[tuple[str, bytes]]] = []
    room = 0
    for pair in given:
        if not parts or room < len(pair[1]) or len(parts[-1]) == _OFFERED:
            parts.append([])
            room = MAX_BYTES
        parts[-1].append(pair)
        room -= len(pair[1])
    return parts
