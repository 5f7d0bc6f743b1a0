-- What ids of messages in a room are made of. Uses room.
local prefix = string.sub(room, #'room:' + 1) .. '/'

-- The id of a member that no Palaver wrote.
local function foreign_id(member, score)
  return prefix .. score .. '-' .. string.sub(redis.sha1hex(member), 1, 16)
end
