--[[ request_add: let the workers know that something is asked in a room, unless a request of the room waits already.
     KEYS  requests, waiting
     ARGV  room_id
     gives 1 if it is new, else 0 ]]
local requests, waiting = unpack(KEYS)
local room_id = unpack(ARGV)

local id = redis.call('HGET', waiting, room_id)
-- Looked at, as a stream that others have trimmed must not keep a room silent for good.
if id and #redis.call('XRANGE', requests, id, id) == 1 then return 0 end
redis.call('HSET', waiting, room_id, redis.call('XADD', requests, '*', 'room', room_id))
return 1
