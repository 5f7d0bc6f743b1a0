--[[ presence_change: store the number of a user's connections on one server, and find out whether the user goes online or offline.
     Idempotent.
     KEYS  presence
     ARGV  server, count: number
     RETURNS  [version: number, online: 0 | 1]; the version rises by one at each transition ]]
local presence = unpack(KEYS)
local server, count = unpack(ARGV)

local function is_online()
  return redis.call('HLEN', presence) > redis.call('HEXISTS', presence, 'version')
end

local before = is_online()
if count == '0' then
  redis.call('HDEL', presence, server)
else
  redis.call('HSET', presence, server, count)
end
local after = is_online()
if before ~= after then redis.call('HINCRBY', presence, 'version', 1) end
return { tonumber(redis.call('HGET', presence, 'version') or 0), after and 1 or 0 }
