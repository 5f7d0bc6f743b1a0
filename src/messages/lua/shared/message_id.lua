-- The components of message ids in a room. Uses room.
-- part: ours
local prefix = string.sub(room, #'room:' + 1) .. '/'

-- A score in the form that ids contain. The number of decimal places that Redis returns depends on its version.
local function plain(score)
  if not string.find(score, '.', 1, true) or string.find(score, 'e', 1, true) then return score end
  local micros = string.gsub(string.format('%.6f', score), '0+$', '')
  return tonumber(micros) == tonumber(score) and micros or score
end

-- The id of a member that Palaver did not write.
local function foreign_id(member, score)
  return prefix .. plain(score) .. '-' .. string.sub(redis.sha1hex(member), 1, 16)
end
