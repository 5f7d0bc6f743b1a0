--[[ assistant_take: start to answer a room's first question, or release the room if no question is left. Both happen in one step with the
     check, so a later question finds the room free. The same fence may take again after each answer.
     KEYS  asked, reply, writing, room
     ARGV  fence, lease: number (ms)
     RETURNS  [state: "HELD", ms: number] | [state: "NOTHING"] | [state: "TAKEN", entry: string, tries: number, cancelled: 0 | 1,
           written: string]; HELD with the ms until the lease of another worker expires; TAKEN with the question's entry of asked and, if
           it was cancelled, the text of the answer so far ]]
local asked, reply, writing, room = unpack(KEYS)
local fence, lease = unpack(ARGV)
-- part: reply

local holder, expires, entry, state = unpack(redis.call('HMGET', reply, 'fence', 'until', 'entry', 'state'))
if holder and holder ~= fence and tonumber(expires) > now_ms then return { 'HELD', tonumber(expires) - now_ms } end

local question = redis.call('LINDEX', asked, 0)
if not question then
  redis.call('HDEL', reply, 'fence', 'until')
  return { 'NOTHING' }
end

redis.call('PERSIST', reply)
redis.call('PERSIST', writing)
if entry ~= question or state ~= 'WRITING' then redis.call('HDEL', reply, 'tries', 'cancelled', 'edited', 'restarts') end
redis.call('HSET', reply, 'entry', question, 'fence', fence, 'until', string.format('%.0f', now_ms + lease))
local tries = tonumber(redis.call('HGET', reply, 'tries') or 0)
if redis.call('HDEL', reply, 'edited') == 1 and tries > 0 and holder == fence then
  redis.call('HINCRBY', reply, 'restarts', 1) -- the same worker restarts with the new text
else
  tries = redis.call('HINCRBY', reply, 'tries', 1)
end
if redis.call('HEXISTS', reply, 'cancelled') == 1 then return { 'TAKEN', question, tries, 1, redis.call('GET', writing) or '' } end
redis.call('DEL', writing)
tell(question, 'WRITING', 0, '', '')
return { 'TAKEN', question, tries, 0, '' }
