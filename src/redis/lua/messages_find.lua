--[[ messages_find: messages of a room by their ids.
     KEYS  room, reactions
     ARGV  (ids and the scores at which they are, in turn, as they are)
     gives {{member, score, reactions (JSON)} or nil, …} ]]
local room, reactions = unpack(KEYS)
-- part: message_id
-- part: message_find

local messages = {}
for index = 1, #ARGV, 2 do
  local found = find(ARGV[index], ARGV[index + 1])
  table.insert(messages, found and { found.member, found.score, redis.call('HGET', reactions, ARGV[index]) or '' } or false)
end
return messages
