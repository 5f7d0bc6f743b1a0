--[[ assistant_begin: begin to answer a question whose room the worker holds. Discards what another worker wrote of the answer.
     KEYS  consumed, room, reply, writing, cancelled, withdrawn
     ARGV  name (of the consumer), fence, event: number (of the question), question (the message), user (who asks)
     RETURNS  [state: "OK" | "LOST" | "CANCELLED", written: string]; LOST if another worker holds the room, CANCELLED with the text so far
              if the user has cancelled the question ]]
local consumed, room, reply, writing, cancelled, withdrawn = unpack(KEYS)
local name, fence, event, question, user = unpack(ARGV)
-- part: consumer
-- part: reply
-- part: cancelled

if not is_mine() then return { 'LOST', '' } end
local is_begun = redis.call('HGET', reply, 'state') == 'WRITING' and redis.call('HGET', reply, 'event') == event
local written = is_begun and redis.call('GET', writing) or ''
if is_cancelled(event, user) then return { 'CANCELLED', written } end
redis.call('PERSIST', reply)
redis.call('DEL', writing)
redis.call('HSET', reply, 'event', event)
tell(question, 'WRITING', 0, '', '')
return { 'OK', '' }
