--[[ pair_look: check whether two users have both written in their private room, and whether either blocks the other.
     KEYS  room, log, meta, foreign, own, consumed
     ARGV  new_epoch, log_length, watched: boolean, user, other
     RETURNS  [bothWrote: 0 | 1, otherBlocksUser: 0 | 1, userBlocksOther: 0 | 1] ]]
local room, log, meta, foreign, own, consumed = unpack(KEYS)
local new_epoch, log_length, watched, user, other = unpack(ARGV)
local heard, order = '', ''
-- part: room_log

local FIRST = 10      -- messages of the room that are read themselves, because those of the demo data are not in `own`
local BUDGET = 100000 -- bytes of these

local function has_written(id)
  if redis.call('ZLEXCOUNT', own, '[' .. id .. ':', '(' .. id .. ';') > 0 then return true end -- `;` comes right after `:`
  local members = read('-inf', '+inf', false, FIRST, BUDGET)
  for index = 1, #members, 2 do
    if is_ours(members[index]) and string.match(members[index], '^{"from":"(%d+)"') == id then return true end
  end
  return false
end

local both = stored and stored > 0 and has_written(user) and has_written(other)
local blocks = redis.call('HMGET', meta, 'blocked:' .. other, 'blocked:' .. user)
return { both and 1 or 0, blocks[1] and 1 or 0, blocks[2] and 1 or 0 }
