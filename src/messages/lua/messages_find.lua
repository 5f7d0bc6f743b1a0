--[[ messages_find: find messages of a room by their ids.
     KEYS  room, reactions
     ARGV  ...ids_and_scores: string[] (ids and scores of the messages, alternating)
     RETURNS  ([member: string, score: string, reactions: string] | null)[]; the reactions are JSON, '' for none; null if not found ]]
local room, reactions = unpack(KEYS)
-- part: message_id
-- part: message_find

local messages = {}
for index = 1, #ARGV, 2 do
  local found = find(ARGV[index], ARGV[index + 1])
  table.insert(messages, found and { found.member, found.score, redis.call('HGET', reactions, ARGV[index]) or '' } or false)
end
return messages
