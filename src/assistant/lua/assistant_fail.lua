--[[ assistant_fail: give up a question. The caller has already stored it as a dead letter.
     KEYS  consumed, room, reply, writing
     ARGV  name (of the consumer), fence, event: number (of the question), question (the message), problem (a sentence for people)
     RETURNS  "OK" | "LOST"; LOST if another worker holds the room ]]
local consumed, room, reply, writing = unpack(KEYS)
local name, fence, event, question, problem = unpack(ARGV)
-- part: consumer
-- part: reply

if not is_mine() then return 'LOST' end
pass(event)
tell(question, 'FAILED', redis.call('STRLEN', writing), '', problem)
return 'OK'
