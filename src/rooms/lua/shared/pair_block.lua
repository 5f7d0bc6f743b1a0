--[[ pair_block: refuses writes to a private room in which either user blocks the other. Uses room and meta. ]]

-- The error for a write by the user; nil if the user may write to the room.
local function block_refusal(user)
  local low, high = string.match(room, '^room:(%d+):(%d+)$')
  if not low then return nil end
  local blocks = {}
  blocks[low], blocks[high] = unpack(redis.call('HMGET', meta, 'blocked:' .. low, 'blocked:' .. high))
  if not blocks[low] and not blocks[high] then return nil end
  if blocks[user] then return 'FORBIDDEN You have blocked this user.' end
  return 'FORBIDDEN You cannot write to this user.'
end
