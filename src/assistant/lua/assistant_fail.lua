--[[ assistant_fail: give up a question. The caller has already stored it as a dead letter.
     KEYS  asked, reply, writing, room
     ARGV  fence, entry (of asked), problem (a sentence for people)
     RETURNS  "OK" | "LOST"; LOST if another worker holds the room ]]
local asked, reply, writing, room = unpack(KEYS)
local fence, entry, problem = unpack(ARGV)
-- part: reply

if not is_mine(fence) then return 'LOST' end
redis.call('LREM', asked, 1, entry)
tell(entry, 'FAILED', redis.call('STRLEN', writing), '', problem)
return 'OK'
