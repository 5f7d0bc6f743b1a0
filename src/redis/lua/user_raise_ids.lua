--[[ user_raise_ids: raise a number to a user id that is in use. What holds no number is replaced.
     KEYS  counter
     ARGV  at_least
     gives the value before, '' where there was none, or nil where it was high enough ]]
local counter = unpack(KEYS)
local at_least = unpack(ARGV)

local before = redis.call('GET', counter)
if (tonumber(before or '') or -1) >= tonumber(at_least) then return nil end
redis.call('SET', counter, at_least)
return before or ''
