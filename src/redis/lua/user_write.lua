--[[ user_write: store an account whole. It can be logged into once a username points at it.
     KEYS  user, rooms
     ARGV  first_room, field, value, field, value, … ]]
local user, rooms = unpack(KEYS)
local first_room = unpack(ARGV)

redis.call('HSET', user, unpack(ARGV, 2))
redis.call('SADD', rooms, first_room)
