--[[ message_send: add a message to a room, once, and wake its followers.
     The caller has made sure that the sender may write here; of a group room that is looked at here once more, as it may have ended.
     KEYS  room, log, meta, foreign, own, members, mentioned, reactions, sent_1, sent_2, sent_3, sent_4   (days around the caller's clock; Redis's decides which is today)
     ARGV  new_epoch, log_length, room_id, from, text (JSON), client_id (JSON, '' for none), first_day (of sent_1), mentions (ids of users, with spaces between),
           reply_to (id of a message, '' for none), reply_score (at which that is), history_limit, history_days (of shared/retention.lua), group (1 for a group room, else 0)
     gives {message (JSON), seq, epoch, at (µs), 1 if it is the room's first message else 0, 1 if it was stored now else 0}
     fails NOT_A_MEMBER, CLIENT_MESSAGE_ID_REUSED, NOT_FOUND ]]
local room, log, meta, foreign, own, members, mentioned, reactions, sent_1, sent_2, sent_3, sent_4 = unpack(KEYS)
local new_epoch, log_length, room_id, from, text, client_id, first_day, mentions, reply_to, reply_score, history_limit, history_days, group = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_index
-- part: retention

if group == '1' and redis.call('HEXISTS', members, from) == 0 then return redis.error_reply('NOT_A_MEMBER ' .. room_id) end

local DAY = 86400
local day = math.floor(clock[1] / DAY)

local function message_at(at)
  local seconds = math.floor(at / 1000000)
  local json = string.format('{"from":"%s","date":%d,"message":%s,"roomId":"%s","id":"%s/%.0f"',
    from, seconds, text, room_id, room_id, at)
  if client_id ~= '' then json = json .. ',"clientMessageId":' .. client_id end
  if mentions ~= '' then json = json .. ',"mentions":["' .. string.gsub(mentions, ' ', '","') .. '"]' end
  if reply_to ~= '' then json = json .. ',"replyTo":"' .. reply_to .. '"' end
  return json .. ' }' -- the space says that it is ours
end

-- A send is remembered under the day it was made, so looking at today and yesterday covers at least 24 hours.
local days = { sent_1, sent_2, sent_3, sent_4 }
local today = days[day - first_day + 1]
local yesterday = days[day - first_day]
if not (today and yesterday) then return redis.error_reply('the clocks of this server and of Redis are more than a day apart') end

-- What a repetition must have in common with the send, beyond its id.
local content = redis.sha1hex(text .. reply_to)

local sender_and_id = from .. ' ' .. client_id
if client_id ~= '' then
  local earlier = redis.call('HGET', today, sender_and_id)
    or redis.call('HGET', yesterday, sender_and_id)
  if earlier then
    local at, seq_then, epoch_then, first, digest_then = unpack(cjson.decode(earlier))
    if digest_then ~= content then
      return redis.error_reply('CLIENT_MESSAGE_ID_REUSED for another message')
    end
    return { message_at(at), seq_then, epoch_then, at, first, 0 }
  end
end

if not stored then return redis.error_reply('the room is no sorted set') end
if reply_to ~= '' and not find(reply_to, reply_score) then
  return redis.error_reply('NOT_FOUND There is no message ' .. reply_to .. ' in this room to reply to.')
end
local first = stored == 0 and 1 or 0
trim(100, 1)
trim_log(100)
local at = next_time()
local message = message_at(at)

known = known + 1
append('message.added', at, '"message":' .. message)
redis.call('ZADD', room, string.format('%d.%06d', math.floor(at / 1000000), at % 1000000), message)
index(from, at / 1000000, message)
if first == 1 then redis.call('HSET', meta, 'shown', 1) end
if client_id ~= '' then
  redis.call('HSET', today, sender_and_id,
    string.format('[%.0f,%d,"%s",%d,"%s"]', at, seq, epoch, first, content))
  redis.call('EXPIREAT', today, (day + 2) * DAY)
end

return { message, seq, epoch, at, first, 1 }
