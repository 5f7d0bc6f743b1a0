--[[ block_list: add a user to another user's block list, unless the list is full.
     KEYS  blocked
     ARGV  user, most: number
     RETURNS  0 | 1; 1 if the user is in the list now ]]
local blocked = unpack(KEYS)
local user, most = unpack(ARGV)

if redis.call('ZSCORE', blocked, user) then return 1 end
if redis.call('ZCARD', blocked) >= tonumber(most) then return 0 end
local clock = redis.call('TIME')
redis.call('ZADD', blocked, clock[1] * 1000000 + clock[2], user)
return 1
