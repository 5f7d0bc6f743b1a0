--[[ message_edit: change the text of a message of the user, in its place. The caller has checked that the user may access the room.
     KEYS  room, log, meta, foreign, own, consumed, members, reactions, mentioned
     ARGV  new_epoch, log_length, watched: boolean, user, id, score (of the message), text (JSON), mentions: readonly string[] (ids of users),
           wanted: readonly string[] (names of the consumers that want its event), edited: number | "" (ms, the last edit of the text with
           which that was decided; '' if it was not edited), quiet: readonly string[] (mentioned users for whom the mention does not count)
     RETURNS  "CHANGED" | [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1]; the reactions
              are JSON, at is in µs, changed is 0 if the message already had the text; CHANGED if it is wanted, and the text has been edited
              since that was decided
     FAILS  NOT_A_MEMBER, NOT_FOUND, FORBIDDEN ]]
local room, log, meta, foreign, own, consumed, members, reactions, mentioned = unpack(KEYS)
local new_epoch, log_length, watched, user, id, score, text, mentions, wanted, edited, quiet = unpack(ARGV)
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
local head, old, tail = string.match(found.member, '^({"from":"%d+","date":%d+,"message":)(".-")(,"roomId":.*)' .. OURS .. '$')
if not found.ours then
  -- Rewrites it as a message of Palaver with its former id.
  local seconds = tonumber(found.score)
  if seconds > 100000000000 then seconds = seconds / 1000 end -- milliseconds, as the history reads them
  head = string.format('{"from":"%s","date":%d,"message":', user, math.min(math.max(math.floor(seconds), 0), 2147483647))
  tail = string.format(',"roomId":"%s","id":"%s"', string.sub(prefix, 1, -2), id)
elseif old == text then
  return { found.member, found.score, reacted, seq, epoch or '', last, 0 }
end

if wanted ~= '' and (string.match(tail, ',"editedAt":(%d+)%d%d%d') or '') ~= edited then return 'CHANGED' end

local at = next_time()
tail = string.gsub(string.gsub(tail, ',"editedAt":%d+', ''), ',"mentions":%b[]', '')
if mentions ~= '' then tail = string.format('%s,"mentions":["%s"]', tail, string.gsub(mentions, ' ', '","')) end
local changed = string.format('%s%s%s,"editedAt":%.0f%s', head, text, tail, at, OURS)

append('message.edited', at, '"message":' .. changed .. ',"reactions":' .. reacted, wanted)
redis.call('ZREM', room, found.member)
redis.call('ZADD', room, found.score, changed)
unindex(found)
index(user, found.score, changed, quiet)
return { changed, found.score, reacted, seq, epoch, at, 1 }
