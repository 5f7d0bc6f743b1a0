--[[ assistant_release: give up a try before its question is answered, for another worker to begin again. It does not count as a try.
     KEYS  reply
     ARGV  fence, entry (of asked, the question that was tried; '' for whichever it is)
     gives 1, or 0 where another worker has the room ]]
local reply = unpack(KEYS)
local fence, entry = unpack(ARGV)

local holder, current, state, tries = unpack(redis.call('HMGET', reply, 'fence', 'entry', 'state', 'tries'))
-- A worker that was cut off from Redis may find that another one tries the same question by now: its own try does not count either.
if state == 'WRITING' and tonumber(tries or 0) > 0 and (holder == fence or current == entry) then redis.call('HINCRBY', reply, 'tries', -1) end
if holder ~= fence then return 0 end
redis.call('HDEL', reply, 'fence', 'until')
return 1
