--[[ session_find: read the remaining time of a token's session, without prolonging it. A session ends with its account.
     KEYS  sessions, user
     ARGV  token_hash
     RETURNS  number | null; the remaining time (ms), or null if the session has ended ]]
local sessions, user = unpack(KEYS)
local token_hash = unpack(ARGV)

local clock = redis.call('TIME')
local left = tonumber(redis.call('ZSCORE', sessions, token_hash) or 0) - clock[1] * 1000 - clock[2] / 1000
if left <= 0 or redis.call('EXISTS', user) == 0 then return nil end
return math.ceil(left)
