--[[ presence_announce: apply a transition of presence_change to the shared set of online users, and publish it. The two are in different
     slots, so calls of this script may overtake each other: an older transition has no effect.
     KEYS  online_users, versions, announced
     ARGV  user, version: number, online: boolean
     RETURNS  0 | 1; 1 if it was published, 0 if a newer transition was applied or subscribers know the state already ]]
local online_users, versions, announced = unpack(KEYS)
local user, version, online = unpack(ARGV)

if tonumber(redis.call('HGET', versions, user) or 0) >= tonumber(version) then return 0 end
redis.call('HSET', versions, user, version)
-- The demo apps share this set. If an app stored another type under its key, Palaver works without the set.
local change = online == '1' and 'SADD' or 'SREM'
redis.pcall(change, online_users, user)
if redis.call(change, announced, user) == 0 then return 0 end
redis.call('SPUBLISH', online_users, string.format('{"userId":"%s","online":%s}', user, online == '1' and 'true' or 'false'))
return 1
