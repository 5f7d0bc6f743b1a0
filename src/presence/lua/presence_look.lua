--[[ presence_look: read a demo app's change of the shared set of online users, and publish it if subscribers do not know it. A demo app
     removes a user when any of their tabs there closes: a user who has connections to Palaver is added again.
     KEYS  online_users, versions, announced
     ARGV  user, version: string | 0 (of the transition that brought the user online here, 0 if not online here)
     RETURNS  [published: 0 | 1, online: 0 | 1, addedAgain: 0 | 1] ]]
local online_users, versions, announced = unpack(KEYS)
local user, version = unpack(ARGV)

local put_back = 0
-- Only while that transition is the last one applied: the user may have left since it was read.
if version ~= '0' and redis.call('HGET', versions, user) == version then put_back = redis.call('SADD', online_users, user) end
local online = redis.call('SISMEMBER', online_users, user)
local change = online == 1 and 'SADD' or 'SREM'
local told = redis.call(change, announced, user)
if told == 1 then
  redis.call('SPUBLISH', online_users, string.format('{"userId":"%s","online":%s}', user, online == 1 and 'true' or 'false'))
end
return { told, online, put_back }
