--[[ message_change: what a change of a message begins with. A part of each script that makes one, whose members, user, id and score
     (where it is in the room) it uses, and find of message_find. Sets role (in a group room), found. ]]
-- part: message_member
local found = find(id, score)
if not found then return redis.error_reply('NOT_FOUND There is no message ' .. id .. '.') end
