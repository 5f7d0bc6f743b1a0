--[[ ours: the marker of Palaver's messages, at the end of a member of a room's sorted set. No demo app writes a space before the last brace,
     so its clients cannot forge Palaver's messages. `ours.ts` has the same marker. ]]
local OURS = ' }'

local function is_ours(member)
  return string.sub(member, -#OURS) == OURS
end
