--[[ user_reserve_id: hand out the next user id, above all that are known to be in use. It is vacant until its account is complete.
     KEYS  total_users, vacant
     ARGV  at_least (the highest id in use, as far as is known)
     gives {id, the counter before where it was behind else nil} ]]
local total_users, vacant = unpack(KEYS)
local at_least = unpack(ARGV)

local before = redis.call('GET', total_users)
local behind = (tonumber(before or '') or -1) < tonumber(at_least)
if behind or not tonumber(before or '0') then redis.call('SET', total_users, at_least) end
local id = redis.call('INCR', total_users)
redis.call('SETBIT', vacant, id, 1)
return { id, behind and (before or '') or nil }
