-- What ids of messages in a room are made of. Uses room.
local prefix = string.sub(room, #'room:' + 1) .. '/'

-- A score as ids have it. How many digits Redis gives of a fraction depends on its version.
local function plain(score)
  if not string.find(score, '.', 1, true) or string.find(score, 'e', 1, true) then return score end
  local micros = string.gsub(string.format('%.6f', score), '0+$', '')
  return tonumber(micros) == tonumber(score) and micros or score
end

-- The id of a member that no Palaver wrote.
local function foreign_id(member, score)
  return prefix .. plain(score) .. '-' .. string.sub(redis.sha1hex(member), 1, 16)
end
