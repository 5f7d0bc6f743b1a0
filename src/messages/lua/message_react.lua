--[[ message_react: add or remove a user's reaction to a message. The caller has checked that the user may access the room.
     KEYS  room, log, meta, foreign, own, consumed, members, reactions
     ARGV  new_epoch, log_length, watched: boolean, user, id, score (of the message), emoji, on: boolean (whether to add, not remove),
           most: number (distinct emoji of a message), listed: number (users listed for each emoji)
     RETURNS  [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1] | null; the
              reactions are JSON, at is in µs; null if there would be too many emoji
     FAILS  NOT_A_MEMBER, NOT_FOUND, FORBIDDEN ]]
local room, log, meta, foreign, own, consumed, members, reactions = unpack(KEYS)
local new_epoch, log_length, watched, user, id, score, emoji, on, most, listed = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_change
-- part: pair_block
local refusal = block_refusal(user)
if refusal then return redis.error_reply(refusal) end

local function answer(json, changed)
  return { found.member, found.score, json, seq, epoch or '', last, changed }
end

-- All users with this emoji, in the order in which they reacted: ` 3 17 4 `.
local field = id .. ' ' .. emoji
local users = redis.call('HGET', reactions, field) or ' '
local json = redis.call('HGET', reactions, id) or '[]'
local first, behind = string.find(users, ' ' .. user .. ' ', 1, true)
if (first ~= nil) == (on == '1') then return answer(json, 0) end

local list = cjson.decode(json)
local index = #list + 1
for n, reaction in ipairs(list) do
  if reaction[1] == emoji then index = n end
end
if index > tonumber(most) then return false end

local count = list[index] and list[index][2] or 0
if on == '1' then
  users, count = users .. user .. ' ', count + 1
else
  users, count = string.sub(users, 1, first) .. string.sub(users, behind + 1), count - 1
end

if count > 0 then
  local shown = {}
  for one in string.gmatch(users, '%d+') do
    if #shown == tonumber(listed) then break end
    shown[#shown + 1] = one
  end
  list[index] = { emoji, count, shown }
  redis.call('HSET', reactions, field, users)
else
  table.remove(list, index)
  redis.call('HDEL', reactions, field)
end

json = #list > 0 and cjson.encode(list) or '[]'
if #list > 0 then redis.call('HSET', reactions, id, json) else redis.call('HDEL', reactions, id) end

local message = found.ours and '"message":' .. found.member
  or string.format('"foreign":{"score":"%s","member":%s}', found.score, cjson.encode(found.member))
append('reaction.changed', next_time(), message .. ',"reactions":' .. json)
return answer(json, 1)
