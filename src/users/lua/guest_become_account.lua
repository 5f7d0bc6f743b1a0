--[[ guest_become_account: turn a guest whose username is claimed into an account. The guest's sessions become sessions of the account; the
     caller's session starts again with a new token. Notifies the servers, which check their sockets.
     KEYS  user, sessions, details
     ARGV  attempt ('' for any, after an attempt was cut off), old_hash, new_hash ('' for no session), ttl: number (s)
     RETURNS  [expiry: string, id: string] | []; the expiry (ms) and id of the caller's session, [] without one
     FAILS  UNAUTHENTICATED if another attempt has taken over, or the session has ended ]]
local user, sessions, details = unpack(KEYS)
local attempt, old_hash, new_hash, ttl = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local claim = redis.call('HGET', user, 'claim')
claim = claim and cjson.decode(claim)
if not claim or redis.call('HGET', user, 'guest') ~= '1' or (attempt ~= '' and claim.attempt ~= attempt) then
  return redis.error_reply('UNAUTHENTICATED Another registration of this guest took over. Log in.')
end
local session = '^(%S+) guest (%d+) (%d+)$'
if old_hash ~= '' and (tonumber(redis.call('ZSCORE', sessions, old_hash) or 0) <= now or not string.match(redis.call('HGET', details, old_hash) or '', session)) then
  return redis.error_reply('UNAUTHENTICATED This session has ended. Log in again.')
end

redis.call('HSET', user, 'username', claim.username)
if claim.name then redis.call('HSET', user, 'name', claim.name) end
if claim.email then redis.call('HSET', user, 'email', claim.email) end
redis.call('HDEL', user, 'guest', 'claim', 'until')

local given = {}
for _, token_hash in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
  local id, created, seen = string.match(redis.call('HGET', details, token_hash) or '', session)
  if id and token_hash == old_hash then
    local expiry = string.format('%.0f', now + ttl * 1000)
    redis.call('ZREM', sessions, old_hash)
    redis.call('HDEL', details, old_hash)
    redis.call('ZADD', sessions, expiry, new_hash)
    redis.call('HSET', details, new_hash, string.format('%s account %.0f %.0f', id, now, now))
    given = { expiry, id }
  elseif id then
    redis.call('HSET', details, token_hash, string.format('%s account %s %s', id, created, seen))
  end
end
local last = redis.call('ZRANGE', sessions, -1, -1, 'WITHSCORES')[2]
if last then
  redis.call('PEXPIREAT', sessions, last)
  redis.call('PEXPIREAT', details, last)
end
redis.call('SPUBLISH', user, '{"kind":"sessions.ended"}')
return given
