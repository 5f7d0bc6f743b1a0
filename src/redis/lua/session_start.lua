--[[ session_start: remember a login, and forget the user's expired ones.
     KEYS  sessions
     ARGV  token_hash, ttl (s), most (sessions a user may have; the ones that end first give way)
     gives expiry (ms) ]]
local sessions = unpack(KEYS)
local token_hash, ttl, most = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local expiry = now + ttl * 1000

redis.call('ZREMRANGEBYSCORE', sessions, '-inf', string.format('%.0f', now))
redis.call('ZADD', sessions, string.format('%.0f', expiry), token_hash)
redis.call('ZREMRANGEBYRANK', sessions, 0, -most - 1)
local last = redis.call('ZRANGE', sessions, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', sessions, last[2])
return expiry
