--[[ consumer_release: release a room before its event is handled, so that another process can start again. The try does not count.
     KEYS  consumed
     ARGV  name (of the consumer), fence, event: number (that was tried; 0 for any)
     RETURNS  0 | 1; 0 if another process holds the room ]]
local consumed = unpack(KEYS)
local name, fence, event = unpack(ARGV)
-- part: consumer

local place, tries = unpack(redis.call('HMGET', consumed, name, name .. ':tries'))
-- While this process was cut off from Redis, another may have taken the same event. Then this process's try does not count either.
local is_same = place and string.match(place, '^%d+') == event
if tonumber(tries or 0) > 0 and (is_mine() or is_same) then redis.call('HINCRBY', consumed, name .. ':tries', -1) end
if not is_mine() then return 0 end
redis.call('HDEL', consumed, name .. ':fence', name .. ':until')
return 1
