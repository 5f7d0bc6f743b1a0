--[[ presence_announce: apply a transition of presence_change to the set that everyone reads, and tell the followers.
     The two live in different slots, so announcements may overtake each other: an older one does nothing.
     KEYS  online_users, versions
     ARGV  user, version, online (1 or 0)
     gives 1 if it was applied, 0 if a newer one was ]]
local online_users, versions = unpack(KEYS)
local user, version, online = unpack(ARGV)

if tonumber(redis.call('HGET', versions, user) or 0) >= tonumber(version) then return 0 end
redis.call('HSET', versions, user, version)
if online == '1' then
  redis.call('SADD', online_users, user)
else
  redis.call('SREM', online_users, user)
end
redis.call('SPUBLISH', online_users, string.format('{"userId":"%s","online":%s}', user, online == '1' and 'true' or 'false'))
return 1
