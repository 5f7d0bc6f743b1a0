--[[ message_index: who wrote a message and who is mentioned in it, where unread counts look for that. A part of each script that
     changes one, whose own, mentioned and meta it uses, and micros_of and digest of room_log. ]]
local function mentioned_in(member)
  -- No string of JSON holds a quote that could be taken for one of these.
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

-- @param quiet ids of those mentioned for whom it does not count, with spaces between
local function index(from, score, member, quiet)
  local micros = micros_of(score)
  redis.call('ZADD', own, 0, from .. ':' .. micros)
  for user in mentioned_in(member) do
    -- Nobody has to read of their own message that it mentions them.
    if user ~= from and not string.find(' ' .. quiet .. ' ', ' ' .. user .. ' ', 1, true) then
      redis.call('ZADD', mentioned, 0, user .. ':' .. micros)
    end
  end
end

-- Takes a message out of its room, with whatever is kept of it. Uses room, meta, reactions, foreign, and id_of and foreign_sender of message_find.
local function remove_message(member, score)
  redis.call('ZREM', room, member)
  local ours = string.sub(member, -2) == ' }'
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
