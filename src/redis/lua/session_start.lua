--[[ session_start: remember a login, and forget the user's sessions that are over. Where they are too many, those that
     end first give way, and the servers are told to look after their sockets.
     KEYS  sessions, details, user   (whose hash holds the password, and whose channel is told)
     ARGV  token_hash, id, kind (account or guest), ttl (s), most (sessions a user may have), password_hash (which was checked; '' for a guest)
     gives expiry (ms)
     fails INVALID_CREDENTIALS if the password has been changed since it was checked, or the account is gone ]]
local sessions, details, user = unpack(KEYS)
local token_hash, id, kind, ttl, most, password_hash = unpack(ARGV)

if redis.call('EXISTS', user) == 0 or (redis.call('HGET', user, 'password') or '') ~= password_hash then
  return redis.error_reply('INVALID_CREDENTIALS by now')
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
