--[[ presence_look: see what a demo app has made of the set that everyone reads, and tell the followers what they do not know.
     A demo app takes a user off when any of their tabs there closes: one who has connections here is put back.
     KEYS  online_users, versions, announced
     ARGV  user, version (of the transition that brought them online here, 0 where they are not)
     gives {1 if the followers were told, 1 online or 0 offline, 1 if they were put back} ]]
local online_users, versions, announced = unpack(KEYS)
local user, version = unpack(ARGV)

local put_back = 0
-- Only while that transition is the last one that was applied: they may have left since it was read.
if version ~= '0' and redis.call('HGET', versions, user) == version then put_back = redis.call('SADD', online_users, user) end
local online = redis.call('SISMEMBER', online_users, user)
local change = online == 1 and 'SADD' or 'SREM'
local told = redis.call(change, announced, user)
if told == 1 then
  redis.call('SPUBLISH', online_users, string.format('{"userId":"%s","online":%s}', user, online == 1 and 'true' or 'false'))
end
return { told, online, put_back }
