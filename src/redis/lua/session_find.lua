--[[ session_find: whether a token's session is still going.
     KEYS  sessions
     ARGV  token_hash
     gives expiry (ms), or nil ]]
local sessions = unpack(KEYS)
local token_hash = unpack(ARGV)

local expiry = tonumber(redis.call('ZSCORE', sessions, token_hash) or 0)
local clock = redis.call('TIME')
if clock[1] * 1000 + clock[2] / 1000 >= expiry then return nil end
return expiry
