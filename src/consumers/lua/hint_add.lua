--[[ hint_add: tell a consumer that something waits for it in a room, unless such a hint is already waiting.
     KEYS  hints, waiting
     ARGV  room_id
     RETURNS  0 | 1; 1 if the hint is new ]]
local hints, waiting = unpack(KEYS)
local room_id = unpack(ARGV)

local id = redis.call('HGET', waiting, room_id)
-- Checks the stream, because if another program trimmed it, the room must not wait for good.
if id and #redis.call('XRANGE', hints, id, id) == 1 then return 0 end
redis.call('HSET', waiting, room_id, redis.call('XADD', hints, '*', 'room', room_id))
return 1
