--[[ pair_block: a private room in which one of the two blocks the other takes no writes. Uses room and meta. ]]

-- The error that answers a write of the user; nil where the room may be written to.
local function block_refusal(user)
  local low, high = string.match(room, '^room:(%d+):(%d+)$')
  if not low then return nil end
  local blocks = {}
  blocks[low], blocks[high] = unpack(redis.call('HMGET', meta, 'blocked:' .. low, 'blocked:' .. high))
  if not blocks[low] and not blocks[high] then return nil end
  if blocks[user] then return 'FORBIDDEN You have blocked this user.' end
  return 'FORBIDDEN You cannot write to this user.'
end
