--[[ session_find: how long a token's session still lasts. Looking does not prolong it. Without its account a session is over.
     KEYS  sessions, user
     ARGV  token_hash
     gives left (ms), or nil where it is over ]]
local sessions, user = unpack(KEYS)
local token_hash = unpack(ARGV)

local clock = redis.call('TIME')
local left = tonumber(redis.call('ZSCORE', sessions, token_hash) or 0) - clock[1] * 1000 - clock[2] / 1000
if left <= 0 or redis.call('EXISTS', user) == 0 then return nil end
return math.ceil(left)
