--[[ message_store: adds one of Palaver's messages to a room. A part of the scripts that do so, after room_log, message_find, message_index
     and retention, whose variables it uses. Also uses the script's sent_1 to sent_4, room_id, from, text, client_id, first_day, mentions,
     quiet, reply_to, reply_score, incomplete (why the text is incomplete, '' if it is complete), wanted (names of the consumers
     that want its event) and reads. ]]
local DAY = 86400
local day = math.floor(clock[1] / DAY)

local function message_at(at)
  local seconds = math.floor(at / 1000000)
  local json = string.format('{"from":"%s","date":%d,"message":%s,"roomId":"%s","id":"%s/%.0f"',
    from, seconds, text, room_id, room_id, at)
  if client_id ~= '' then json = json .. ',"clientMessageId":' .. client_id end
  if mentions ~= '' then json = json .. ',"mentions":["' .. string.gsub(mentions, ' ', '","') .. '"]' end
  if reply_to ~= '' then json = json .. ',"replyTo":"' .. reply_to .. '"' end
  if incomplete ~= '' then json = json .. ',"incomplete":"' .. incomplete .. '"' end
  return json .. OURS
end

-- A send is recorded under its day, so looking at today and yesterday covers at least 24 hours.
local days = { sent_1, sent_2, sent_3, sent_4 }
local today = days[day - first_day + 1]
local yesterday = days[day - first_day]
-- If set, the script must return this before it changes anything: the caller has to retry with the right days.
local wrong_days = not (today and yesterday) and { day }

-- The result of an earlier send with this client_id; nil for none.
local function sent_before()
  if client_id == '' then return nil end
  local earlier = redis.call('HGET', today, from .. ' ' .. client_id) or redis.call('HGET', yesterday, from .. ' ' .. client_id)
  return earlier and cjson.decode(earlier)
end

-- If the two users of a private room still have to be notified that it has messages: since when (µs, 1 if unknown); otherwise 0. The caller
-- that gets a time notifies them and then records that.
local function untold()
  if not string.find(room_id, ':', 1, true) then return 0 end
  local shown, showing = unpack(redis.call('HMGET', meta, 'shown', 'showing'))
  return shown == '0' and (tonumber(showing) or 1) or 0
end

-- Moves the sender's read marker to the message. Returns whether it moved; it never moves back.
local function has_read(at, score)
  local before = string.match(redis.call('HGET', reads, from) or '', '^%S+')
  if before and tonumber(before) >= tonumber(score) then return false end
  redis.call('HSET', reads, from, string.format('%s %s/%.0f', score, room_id, at))
  return true
end

-- Returns the result of message_send, or an error to return. The days of sent_1 to sent_4 must include today and yesterday.
local function store()
  -- A repeated send must match the first one in this content, not only in its id.
  local content = redis.sha1hex(text .. reply_to)
  local earlier = sent_before()
  if earlier then
    local at, seq_then, epoch_then, first, digest_then = unpack(earlier)
    if digest_then ~= content then return redis.error_reply('CLIENT_MESSAGE_ID_REUSED for another message') end
    return { message_at(at), seq_then, epoch_then, at, untold(), 0, 0 }
  end

  if not stored then return redis.error_reply('the room is not a sorted set') end
  if reply_to ~= '' and not find(reply_to, reply_score) then
    return redis.error_reply('NOT_FOUND There is no message ' .. reply_to .. ' in this room to reply to.')
  end
  local first = stored == 0 and 1 or 0
  trim(100, 1)
  trim_log(100)
  local at = next_time()
  local message = message_at(at)

  known = known + 1
  local score = string.format('%d.%06d', math.floor(at / 1000000), at % 1000000)
  append('message.added', at, '"message":' .. message .. (has_read(at, score) and ',"read":true' or ''), wanted)
  redis.call('ZADD', room, score, message)
  index(from, at / 1000000, message, quiet)
  if first == 1 then redis.call('HSET', meta, 'shown', 0, 'showing', string.format('%.0f', at)) end
  if client_id ~= '' then
    redis.call('HSET', today, from .. ' ' .. client_id, string.format('[%.0f,%d,"%s",%d,"%s"]', at, seq, epoch, first, content))
    redis.call('EXPIREAT', today, (day + 2) * DAY)
  end
  return { message, seq, epoch, at, untold(), 1, first }
end
