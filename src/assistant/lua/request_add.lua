--[[ request_add: queue a request for the workers to answer questions in a room, unless a request of the room is already waiting.
     KEYS  requests, waiting
     ARGV  room_id
     RETURNS  0 | 1; 1 if the request is new ]]
local requests, waiting = unpack(KEYS)
local room_id = unpack(ARGV)

local id = redis.call('HGET', waiting, room_id)
-- Checks the stream, because if another program trimmed it, the room must not stay unanswered for good.
if id and #redis.call('XRANGE', requests, id, id) == 1 then return 0 end
redis.call('HSET', waiting, room_id, redis.call('XADD', requests, '*', 'room', room_id))
return 1
