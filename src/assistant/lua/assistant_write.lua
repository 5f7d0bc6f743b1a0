--[[ assistant_write: append to an answer and renew the room's lease; with an empty delta, only renew it.
     KEYS  reply, writing, room
     ARGV  fence, lease: number (ms), written: number (bytes of the text before delta), delta,
           restart: boolean (whether to discard the text written before)
     RETURNS  "OK" | "CANCELLED" | "EDITED" | "LOST"; EDITED if the question's text changed before any of the answer was written, LOST if
           another worker holds the room ]]
local reply, writing, room = unpack(KEYS)
local fence, lease, written, delta, restart = unpack(ARGV)
-- part: reply

if not is_mine(fence) then return 'LOST' end
redis.call('HSET', reply, 'until', string.format('%.0f', now_ms + lease))
if restart == '1' and redis.call('DEL', writing) == 1 then tell(redis.call('HGET', reply, 'entry'), 'WRITING', 0, '', '') end
local offset = redis.call('STRLEN', writing)
-- A call whose answer was lost may have appended part of this delta already; append only the rest.
delta = string.sub(delta, offset - written + 1)
if delta ~= '' then
  redis.call('APPEND', writing, delta)
  tell(redis.call('HGET', reply, 'entry'), 'WRITING', offset, delta, '')
end
if redis.call('HEXISTS', reply, 'cancelled') == 1 then return 'CANCELLED' end
local MOST_RESTARTS = 3 -- each may cost a request to the model
local is_restarted = redis.call('HEXISTS', reply, 'edited') == 1 and redis.call('EXISTS', writing) == 0
  and tonumber(redis.call('HGET', reply, 'restarts') or 0) < MOST_RESTARTS
return is_restarted and 'EDITED' or 'OK'
