--[[ guest_schedule: note when to look whether a guest has ended and is to be forgotten.
     KEYS  guests
     ARGV  user, after (s from now)
     gives 1 ]]
local guests = unpack(KEYS)
local user, after = unpack(ARGV)

redis.call('ZADD', guests, redis.call('TIME')[1] + after, user)
return 1
