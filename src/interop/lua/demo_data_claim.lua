--[[ demo_data_claim: claim the filling of a database with demo data, if it is empty or its filling was cut off. Sets the user counter at
     once, so that accounts created during the filling get other ids.
     KEYS  total_users, seeding
     ARGV  users: number (of ids that the demo data uses), lease: number (s, after which another server may take over)
     RETURNS  -1 | 0 | 1; 1 if the caller has the claim, 0 if another server has it, -1 if there is nothing to do ]]
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
