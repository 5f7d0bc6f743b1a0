--[[ assistant_write: append to an answer and renew the room's lease; with an empty delta, only renew it.
     KEYS  consumed, room, reply, writing, cancelled, withdrawn
     ARGV  name (of the consumer), fence, lease: number (ms), event: number (of the question), user (who asks), question (the message),
           score (of that message), edited: number | "" (ms, the last edit of its text as the model got it, '' for none),
           written: number (bytes of the text before delta), delta, restart: boolean (whether to discard the text written before)
     RETURNS  "OK" | "CANCELLED" | "EDITED" | "LOST"; EDITED if the question's text changed before any of the answer was written, LOST if
           another worker holds the room ]]
local consumed, room, reply, writing, cancelled, withdrawn = unpack(KEYS)
local name, fence, lease, event, user, question, score, edited, written, delta, restart = unpack(ARGV)
-- part: consumer
-- part: reply
-- part: cancelled
-- part: ours

if not is_mine() then return 'LOST' end
hold(lease)
if restart == '1' and redis.call('DEL', writing) == 1 then tell(question, 'WRITING', 0, '', '') end
local offset = redis.call('STRLEN', writing)
-- A call whose answer was lost may have appended part of this delta already; append only the rest.
delta = string.sub(delta, offset - written + 1)
if delta ~= '' then
  redis.call('APPEND', writing, delta)
  tell(question, 'WRITING', offset, delta, '')
end
if is_cancelled(event, user) then return 'CANCELLED' end
if offset > 0 or delta ~= '' then return 'OK' end
-- Only a message of Palaver can have been edited, or one that an edit has made a message of Palaver.
for _, member in ipairs(redis.call('ZRANGE', room, score, score, 'BYSCORE', 'LIMIT', 0, 20)) do
  if is_ours(member) and string.find(member, ',"id":"' .. question .. '"', 1, true) then
    return (string.match(member, ',"editedAt":(%d+)%d%d%d' .. OURS .. '$') or '') == edited and 'OK' or 'EDITED'
  end
end
return 'OK'
