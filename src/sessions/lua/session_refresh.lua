--[[ session_refresh: replace a session's token. The old token ends in the same step, so of several concurrent calls with it, only one gets
     a new token. Notifies the servers, which check their sockets. The session keeps its absolute end.
     KEYS  sessions, details, user   (also the channel to publish on)
     ARGV  old_hash, new_hash, account_ttl: number, guest_ttl: number (s), lifetime: number (s, the longest that a session lasts)
     RETURNS  [expiry: string, id: string]; expiry in ms
     FAILS  UNAUTHENTICATED if the session has ended ]]
local sessions, details, user = unpack(KEYS)
local old_hash, new_hash, account_ttl, guest_ttl, lifetime = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if tonumber(redis.call('ZSCORE', sessions, old_hash) or 0) <= now or redis.call('EXISTS', user) == 0 then
  return redis.error_reply('UNAUTHENTICATED This session has ended. Log in again.')
end
local id, kind, created = string.match(redis.call('HGET', details, old_hash) or '', '^(%S+) (%S+) (%d+) %d+$')
local last_end = (created or 0) + lifetime * 1000
if not id or last_end <= now then return redis.error_reply('UNAUTHENTICATED This session has ended. Log in again.') end

local expiry = string.format('%.0f', math.min(last_end, now + (kind == 'guest' and guest_ttl or account_ttl) * 1000))
redis.call('ZREM', sessions, old_hash)
redis.call('HDEL', details, old_hash)
redis.call('ZADD', sessions, expiry, new_hash)
redis.call('HSET', details, new_hash, string.format('%s %s %s %.0f', id, kind, created, now))
local last = redis.call('ZRANGE', sessions, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', sessions, last[2])
redis.call('PEXPIREAT', details, last[2])
if kind == 'guest' then redis.call('HSET', user, 'until', expiry) end
redis.call('SPUBLISH', user, '{"kind":"sessions.ended"}')
return { expiry, id }
