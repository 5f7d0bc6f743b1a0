--[[ user_reserve_id: reserve the next user id, above all ids known to be in use. It counts as vacant until its account is complete.
     KEYS  total_users, vacant
     ARGV  at_least: number (the highest id known to be in use)
     RETURNS  [id: number, before?: string]; before is the former value of the counter if it was too low, '' if there was none ]]
local total_users, vacant = unpack(KEYS)
local at_least = unpack(ARGV)

local before = redis.call('GET', total_users)
-- A value that INCR would refuse, such as 5.5, or that is too long for an id does not count as a number.
local valid = before and #before <= 15 and (before == '0' or string.match(before, '^[1-9]%d*$'))
local behind = not valid or tonumber(before) < tonumber(at_least)
if behind then redis.call('SET', total_users, at_least) end
local id = redis.call('INCR', total_users)
redis.call('SETBIT', vacant, id, 1)
return { id, behind and (before or '') or nil }
