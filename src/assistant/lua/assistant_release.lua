--[[ assistant_release: release a room before its question is answered, so that another worker can start again. The try does not count.
     KEYS  reply
     ARGV  fence, entry (of asked, the question that was tried; '' for any)
     RETURNS  0 | 1; 0 if another worker holds the room ]]
local reply = unpack(KEYS)
local fence, entry = unpack(ARGV)

local holder, current, state, tries = unpack(redis.call('HMGET', reply, 'fence', 'entry', 'state', 'tries'))
-- While this worker was cut off from Redis, another may have taken the same question. Then this worker's try does not count either.
if state == 'WRITING' and tonumber(tries or 0) > 0 and (holder == fence or current == entry) then redis.call('HINCRBY', reply, 'tries', -1) end
if holder ~= fence then return 0 end
redis.call('HDEL', reply, 'fence', 'until')
return 1
