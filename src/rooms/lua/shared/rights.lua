--[[ rights: whether a member has a right in a room. A part of each script that checks one. Uses the script's members, and roles: the roles
     that have the right, with spaces between. ]]

-- The role of a user in the room: OWNER or MEMBER in a group; MEMBER in other rooms. Nil for a user who is not a member of a group.
local function role_of(user)
  local entry = redis.call('HGET', members, user)
  if entry then return string.match(entry, '^%u+') end
  return redis.call('EXISTS', members) == 0 and 'MEMBER' or nil
end

local function has_right(role)
  return role ~= nil and string.find(' ' .. roles .. ' ', ' ' .. role .. ' ', 1, true) ~= nil
end
