--[[ message_edit: change the text of a message of the user, in its place. The caller has checked that the user may access the room.
     KEYS  room, log, meta, foreign, own, asked, members, reactions, mentioned, reply
     ARGV  new_epoch, log_length, assistant, user, id, score (of the message), text (JSON), mentions: readonly string[] (ids of users),
           asks: boolean (whether this text is a question to the assistant and the former text was not), quiet: readonly string[]
           (mentioned users for whom the mention does not count)
     RETURNS  [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1]; the reactions
              are JSON, at is in µs, changed is 0 if the message already had the text
     FAILS  NOT_A_MEMBER, NOT_FOUND, FORBIDDEN ]]
local room, log, meta, foreign, own, asked, members, reactions, mentioned, reply = unpack(KEYS)
local new_epoch, log_length, assistant, user, id, score, text, mentions, asks, quiet = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_change
-- part: message_index
-- part: pair_block
local refusal = block_refusal(user)
if refusal then return redis.error_reply(refusal) end
if found.from ~= user then return redis.error_reply('FORBIDDEN Only the author of a message can edit it.') end

local reacted = redis.call('HGET', reactions, id) or '[]'

-- The parts before and after the text. Quotes inside JSON strings are escaped, so the pattern cannot match within the text.
local head, old, tail = string.match(found.member, '^({"from":"%d+","date":%d+,"message":)(".-")(,"roomId":.*) }$')
if not found.ours then
  -- Rewrites it as a message of Palaver with its former id. The space at the end shows that the id is not forged.
  local seconds = tonumber(found.score)
  if seconds > 100000000000 then seconds = seconds / 1000 end -- milliseconds, as the history reads them
  head = string.format('{"from":"%s","date":%d,"message":', user, math.min(math.max(math.floor(seconds), 0), 2147483647))
  tail = string.format(',"roomId":"%s","id":"%s"', string.sub(prefix, 1, -2), id)
elseif old == text then
  return { found.member, found.score, reacted, seq, epoch or '', last, 0 }
end

-- Whether the message is waiting for an answer.
local function is_asked(message)
  for _, waiting in ipairs(redis.call('LRANGE', asked, 0, -1)) do
    if string.match(waiting, '^%S+') == message then return true end
  end
  return false
end

local function is_mentioned_in(member, who)
  for mention in mentioned_in(member) do
    if mention == who then return true end
  end
  return false
end

local at = next_time()
tail = string.gsub(string.gsub(tail, ',"editedAt":%d+', ''), ',"mentions":%b[]', '')
if mentions ~= '' then tail = string.format('%s,"mentions":["%s"]', tail, string.gsub(mentions, ' ', '","')) end
local edited = string.format('%s%s%s,"editedAt":%.0f }', head, text, tail, at)

append('message.edited', at, '"message":' .. edited .. ',"reactions":' .. reacted)
redis.call('ZREM', room, found.member)
redis.call('ZADD', room, found.score, edited)
unindex(found)
index(user, found.score, edited, quiet)

-- An answer in progress may restart; a waiting question is read when its turn comes.
local entry, state = unpack(redis.call('HMGET', reply, 'entry', 'state'))
if state == 'WRITING' and string.match(entry, '^%S+') == id then redis.call('HSET', reply, 'edited', 1) end
if asks == '1' and not is_asked(id) and not is_mentioned_in(found.member, assistant) then
  ask(id, string.format('edit/%.0f ', at) .. user)
end
return { edited, found.score, reacted, seq, epoch, at, 1 }
