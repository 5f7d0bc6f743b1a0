--[[ guest_schedule: schedule the next check whether a guest has ended and should be forgotten.
     KEYS  guests
     ARGV  user, after: number (s from now)
     RETURNS  1 ]]
local guests = unpack(KEYS)
local user, after = unpack(ARGV)

redis.call('ZADD', guests, redis.call('TIME')[1] + after, user)
return 1
