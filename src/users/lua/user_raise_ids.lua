--[[ user_raise_ids: raise a counter to a user id that is in use. Replaces a value that is not a number.
     KEYS  counter
     ARGV  at_least: number
     RETURNS  string | null; the former value, '' if there was none, or null if it was high enough or of another type ]]
local counter = unpack(KEYS)
local at_least = unpack(ARGV)

local before = redis.pcall('GET', counter)
if type(before) == 'table' then return nil end -- another type, which belongs to another program
-- A value that INCR would refuse, such as 5.5, or that is too long for an id does not count as a number.
local valid = before and #before <= 15 and (before == '0' or string.match(before, '^[1-9]%d*$'))
if valid and tonumber(before) >= tonumber(at_least) then return nil end
redis.call('SET', counter, at_least)
return before or ''
