--[[ assistant_write: go on with an answer, and keep the room's lease; with no text, only keep it.
     KEYS  reply, writing, room
     ARGV  fence, lease (ms), written (bytes of the text before delta), delta
     gives OK, CANCELLED, or LOST where another worker has the room ]]
local reply, writing, room = unpack(KEYS)
local fence, lease, written, delta = unpack(ARGV)
-- part: reply

if not is_mine(fence) then return 'LOST' end
redis.call('HSET', reply, 'until', string.format('%.0f', now_ms + lease))
local offset = redis.call('STRLEN', writing)
-- What was written already, and not answered as Redis was away, is not written again.
delta = string.sub(delta, offset - written + 1)
if delta ~= '' then
  redis.call('APPEND', writing, delta)
  tell(redis.call('HGET', reply, 'entry'), 'WRITING', offset, delta, '')
end
return redis.call('HEXISTS', reply, 'cancelled') == 1 and 'CANCELLED' or 'OK'
