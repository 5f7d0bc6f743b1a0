--[[ demo_data_claim: take on the filling of an empty database, or of one whose filling was cut off. The user counter is
     set right away, so that accounts made meanwhile get ids of their own.
     KEYS  total_users, seeding
     ARGV  users (the ids that the filling uses), lease (s, after which another server may take over)
     gives 1 it is yours, 0 another server is at it, -1 there is nothing to do ]]
local total_users, seeding = unpack(KEYS)
local users, lease = unpack(ARGV)

local now = tonumber(redis.call('TIME')[1])
local deadline = redis.call('GET', seeding)
if deadline and now < tonumber(deadline) then return 0 end
if not deadline then
  if redis.call('EXISTS', total_users) == 1 then return -1 end
  redis.call('SET', total_users, users)
end
redis.call('SET', seeding, now + lease)
return 1
