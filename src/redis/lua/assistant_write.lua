--[[ assistant_write: go on with an answer, and keep the room's lease; with no text, only keep it.
     KEYS  reply, writing, room
     ARGV  fence, lease (ms), written (bytes of the text before delta), delta, anew (1 if what was written before is no part of the answer, else 0)
     gives OK, CANCELLED, EDITED where the question has another text and nothing was answered yet, or LOST where another worker has the room ]]
local reply, writing, room = unpack(KEYS)
local fence, lease, written, delta, anew = unpack(ARGV)
-- part: reply

if not is_mine(fence) then return 'LOST' end
redis.call('HSET', reply, 'until', string.format('%.0f', now_ms + lease))
if anew == '1' and redis.call('DEL', writing) == 1 then tell(redis.call('HGET', reply, 'entry'), 'WRITING', 0, '', '') end
local offset = redis.call('STRLEN', writing)
-- What was written already, and not answered as Redis was away, is not written again.
delta = string.sub(delta, offset - written + 1)
if delta ~= '' then
  redis.call('APPEND', writing, delta)
  tell(redis.call('HGET', reply, 'entry'), 'WRITING', offset, delta, '')
end
if redis.call('HEXISTS', reply, 'cancelled') == 1 then return 'CANCELLED' end
local MOST_RESTARTS = 3 -- each may cost a request
local is_restarted = redis.call('HEXISTS', reply, 'edited') == 1 and redis.call('EXISTS', writing) == 0
  and tonumber(redis.call('HGET', reply, 'restarts') or 0) < MOST_RESTARTS
return is_restarted and 'EDITED' or 'OK'
