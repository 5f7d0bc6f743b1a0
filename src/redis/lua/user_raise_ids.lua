--[[ user_raise_ids: raise a number to a user id that is in use. What holds no number is replaced.
     KEYS  counter
     ARGV  at_least
     gives the value before, '' where there was none, or nil where it was high enough ]]
local counter = unpack(KEYS)
local at_least = unpack(ARGV)

local before = redis.pcall('GET', counter)
if type(before) == 'table' then return nil end -- another type: it is someone else's
-- What INCR would refuse, such as 5.5, and what is too long for an id is no number here.
local valid = before and #before <= 15 and (before == '0' or string.match(before, '^[1-9]%d*$'))
if valid and tonumber(before) >= tonumber(at_least) then return nil end
redis.call('SET', counter, at_least)
return before or ''
