--[[ message_change: the checks at the start of each change of a message. A part of the scripts that change one. Uses the script's members,
     user, id and score (the message's score in the room), and find of message_find. Sets role (in a group room) and found. ]]
-- part: message_member
local found = find(id, score)
if not found then return redis.error_reply('NOT_FOUND There is no message ' .. id .. '.') end
