--[[ assistant_cancel: cancel a user's questions in a room. The worker that answers one of them ends the answer within a second.
     KEYS  consumed, log, meta, reply, cancelled, withdrawn
     ARGV  name (of the consumer), user
     RETURNS  number; how many questions were cancelled ]]
local consumed, log, meta, reply, cancelled, withdrawn = unpack(KEYS)
local name, user = unpack(ARGV)
-- part: wanted_events
-- part: cancelled
-- part: questions

local state, begun = unpack(redis.call('HMGET', reply, 'state', 'event'))
local found = 0
for _, question in ipairs(questions()) do
  if question.user == user then
    found = found + 1
    if state ~= 'WRITING' or tonumber(begun) ~= question.event then withdraw(question.question) end
  end
end
if found > 0 then
  redis.call('HSET', cancelled, user, redis.call('HGET', meta, 'seq') or 0)
  redis.call('EXPIRE', cancelled, CANCELLED_KEPT)
end
return found
