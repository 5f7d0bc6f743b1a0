--[[ message_index: the index of authors and mentions from which unread counts are computed. A part of each script that changes a message.
     Uses the script's own, mentioned and meta, and micros_of and digest of room_log. ]]
local function mentioned_in(member)
  -- Quotes inside JSON strings are escaped, so this pattern cannot match within a text.
  return string.gmatch(string.match(member, ',"mentions":(%b[])') or '', '%d+')
end

local function unindex(found)
  local micros = micros_of(found.score)
  local entry = found.from .. ':' .. micros
  redis.call('ZREM', own, entry, entry .. ':' .. digest(found.member))
  if not found.ours then
    local name = micros .. ':' .. digest(found.member)
    redis.call('ZREM', own, '@:' .. name)
    for user in string.gmatch(redis.call('HGET', meta, 'named:' .. name) or '', '%d+') do redis.call('ZREM', mentioned, user .. ':' .. name) end
    redis.call('HDEL', meta, 'named:' .. name)
    return
  end
  for user in mentioned_in(found.member) do redis.call('ZREM', mentioned, user .. ':' .. micros) end
end

-- @param quiet ids of mentioned users for whom the mention does not count, separated by spaces
local function index(from, score, member, quiet)
  local micros = micros_of(score)
  redis.call('ZADD', own, 0, from .. ':' .. micros)
  for user in mentioned_in(member) do
    -- A mention of the author does not count as unread.
    if user ~= from and not string.find(' ' .. quiet .. ' ', ' ' .. user .. ' ', 1, true) then
      redis.call('ZADD', mentioned, 0, user .. ':' .. micros)
    end
  end
end

-- Removes a message from its room, with all data about it. Uses room, meta, reactions, foreign, and id_of and foreign_sender of
-- message_find.
local function remove_message(member, score)
  redis.call('ZREM', room, member)
  local ours = is_ours(member)
  local from = ours and string.match(member, '^{"from":"(%d+)"') or foreign_sender(member)
  if from then unindex({ from = from, score = score, member = member, ours = ours }) end
  if not ours then
    redis.call('SREM', foreign, digest(member))
    redis.call('HDEL', meta, 'at:' .. digest(member))
    redis.call('ZREM', own, '!:' .. micros_of(score) .. ':' .. digest(member))
  end
  local id = id_of(member, score)
  redis.call('HDEL', meta, 'told:' .. id)
  local reacted = redis.call('HGET', reactions, id)
  if not reacted then return end
  redis.call('HDEL', reactions, id)
  for _, reaction in ipairs(cjson.decode(reacted)) do redis.call('HDEL', reactions, id .. ' ' .. reaction[1]) end
end
