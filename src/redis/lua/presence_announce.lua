--[[ presence_announce: apply a transition of presence_change to the set that everyone reads, and tell the followers.
     The two live in different slots, so announcements may overtake each other: an older one does nothing.
     KEYS  online_users, versions, announced
     ARGV  user, version, online (1 or 0)
     gives 1 if the followers were told, 0 if a newer one was applied or they know already ]]
local online_users, versions, announced = unpack(KEYS)
local user, version, online = unpack(ARGV)

if tonumber(redis.call('HGET', versions, user) or 0) >= tonumber(version) then return 0 end
redis.call('HSET', versions, user, version)
-- The set is the demo apps' too. Should one keep something else under its name, we do without.
local change = online == '1' and 'SADD' or 'SREM'
redis.pcall(change, online_users, user)
if redis.call(change, announced, user) == 0 then return 0 end
redis.call('SPUBLISH', online_users, string.format('{"userId":"%s","online":%s}', user, online == '1' and 'true' or 'false'))
return 1
