--[[ block_list: put a user into the list of those that another one blocks, unless it is as long as it may be.
     KEYS  blocked
     ARGV  user, most
     gives 1 if they are there now, else 0 ]]
local blocked = unpack(KEYS)
local user, most = unpack(ARGV)

if redis.call('ZSCORE', blocked, user) then return 1 end
if redis.call('ZCARD', blocked) >= tonumber(most) then return 0 end
local clock = redis.call('TIME')
redis.call('ZADD', blocked, clock[1] * 1000000 + clock[2], user)
return 1
