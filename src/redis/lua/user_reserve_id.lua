--[[ user_reserve_id: hand out the next user id. It is vacant until its account is complete.
     KEYS  total_users, vacant
     gives id ]]
local total_users, vacant = unpack(KEYS)

local id = redis.call('INCR', total_users)
redis.call('SETBIT', vacant, id, 1)
return id
