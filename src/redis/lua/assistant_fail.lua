--[[ assistant_fail: give a question up. The caller has put it among the dead letters before.
     KEYS  asked, reply, writing, room
     ARGV  fence, entry (of asked), problem (a sentence for people)
     gives OK, or LOST where another worker has the room ]]
local asked, reply, writing, room = unpack(KEYS)
local fence, entry, problem = unpack(ARGV)
-- part: reply

if not is_mine(fence) then return 'LOST' end
redis.call('LREM', asked, 1, entry)
tell(entry, 'FAILED', redis.call('STRLEN', writing), '', problem)
return 'OK'
