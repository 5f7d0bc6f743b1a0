--[[ assistant_release: let go of a room before its questions are answered, for another worker to begin anew. It does not count as a try.
     KEYS  reply
     ARGV  fence
     gives 1, or 0 where another worker has the room ]]
local reply = unpack(KEYS)
local fence = unpack(ARGV)

if redis.call('HGET', reply, 'fence') ~= fence then return 0 end
redis.call('HDEL', reply, 'fence', 'until')
if redis.call('HGET', reply, 'state') == 'WRITING' then redis.call('HINCRBY', reply, 'tries', -1) end
return 1
