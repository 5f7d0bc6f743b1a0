--[[ session_start: start a session, and delete the user's expired sessions. If the user then has too many, evicts those that end first and
     notifies the servers, which check their sockets.
     KEYS  sessions, details, user   (the hash with the password, and the channel to publish on)
     ARGV  token_hash, id, kind: "account" | "guest", ttl: number (s), most: number (sessions a user may have), password_hash (the hash that
           was checked; '' for a guest)
     RETURNS  number; the expiry (ms)
     FAILS  INVALID_CREDENTIALS if the password has changed since it was checked, or the account is gone ]]
local sessions, details, user = unpack(KEYS)
local token_hash, id, kind, ttl, most, password_hash = unpack(ARGV)

if redis.call('EXISTS', user) == 0 or (redis.call('HGET', user, 'password') or '') ~= password_hash then
  return redis.error_reply('INVALID_CREDENTIALS The password has changed.')
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local expiry = now + ttl * 1000

for _, old in ipairs(redis.call('ZRANGEBYSCORE', sessions, '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', sessions, old)
  redis.call('HDEL', details, old)
end
local ended = redis.call('ZRANGE', sessions, 0, -most)
for _, old in ipairs(ended) do
  redis.call('ZREM', sessions, old)
  redis.call('HDEL', details, old)
end

redis.call('ZADD', sessions, string.format('%.0f', expiry), token_hash)
redis.call('HSET', details, token_hash, string.format('%s %s %.0f %.0f', id, kind, now, now))
local last = redis.call('ZRANGE', sessions, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', sessions, last[2])
redis.call('PEXPIREAT', details, last[2])
if kind == 'guest' then redis.call('HSET', user, 'until', last[2]) end
if #ended > 0 then redis.call('SPUBLISH', user, '{"kind":"sessions.ended"}') end
return expiry
