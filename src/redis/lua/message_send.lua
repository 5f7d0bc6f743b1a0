--[[ message_send: add a message to a room, once, and wake its followers.
     The caller has made sure that the sender may write here.
     KEYS  room, log, meta, sent_1, sent_2, sent_3, sent_4   (days around the caller's clock; Redis's decides which is today)
     ARGV  room_id, from, text (JSON), client_id (JSON, '' for none), first_day (of sent_1), new_epoch, log_length
     gives {message (JSON), seq, epoch, at (µs), 1 if it is the room's first message else 0, 1 if it was stored now else 0}
     fails CLIENT_MESSAGE_ID_REUSED ]]
local room, log, meta, sent_1, sent_2, sent_3, sent_4 = unpack(KEYS)
local room_id, from, text, client_id, first_day, new_epoch, log_length = unpack(ARGV)

local DAY = 86400
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] -- microseconds; exact in a double until the year 2255
local day = math.floor(clock[1] / DAY)

local function message_at(at)
  local seconds = math.floor(at / 1000000)
  local json = string.format('{"from":"%s","date":%d,"message":%s,"roomId":"%s","id":"%s/%.0f"',
    from, seconds, text, room_id, room_id, at)
  if client_id ~= '' then json = json .. ',"clientMessageId":' .. client_id end
  return json .. '}'
end

-- A send is remembered under the day it was made, so looking at today and yesterday covers at least 24 hours.
local days = { sent_1, sent_2, sent_3, sent_4 }
local today = days[day - first_day + 1]
local yesterday = days[day - first_day]
if not (today and yesterday) then return redis.error_reply('the clocks of this server and of Redis are more than a day apart') end

local sender_and_id = from .. ' ' .. client_id
if client_id ~= '' then
  local earlier = redis.call('HGET', today, sender_and_id)
    or redis.call('HGET', yesterday, sender_and_id)
  if earlier then
    local at, seq, epoch, first, digest = unpack(cjson.decode(earlier))
    if digest ~= redis.sha1hex(text) then
      return redis.error_reply('CLIENT_MESSAGE_ID_REUSED for another text')
    end
    return { message_at(at), seq, epoch, at, first, 0 }
  end
end

local seq, epoch, last = unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time'))
local first = redis.call('ZCARD', room) == 0 and 1 or 0 -- fails before anything is written where the key is no sorted set
if not epoch then
  -- The log is born, or born again after a loss: positions of an earlier life must not seem to fit.
  redis.call('DEL', log)
  seq, epoch = 0, new_epoch
end
seq = seq + 1

-- Later than everything we wrote here before: a clock that went back must not reorder the room.
local at = math.max(now, (tonumber(last) or 0) + 1)
local message = message_at(at)
local event = string.format('{"seq":%d,"epoch":"%s","kind":"message.added","at":%.0f,"message":%s}', seq, epoch, at, message)

redis.call('XADD', log, 'MAXLEN', '~', log_length, string.format('%d-0', seq), 'event', event)
redis.call('ZADD', room, string.format('%d.%06d', math.floor(at / 1000000), at % 1000000), message)
redis.call('HSET', meta, 'seq', seq, 'epoch', epoch, 'time', string.format('%.0f', at))
if client_id ~= '' then
  redis.call('HSET', today, sender_and_id,
    string.format('[%.0f,%d,"%s",%d,"%s"]', at, seq, epoch, first, redis.sha1hex(text)))
  redis.call('EXPIREAT', today, (day + 2) * DAY)
end
redis.call('SPUBLISH', room, event)

return { message, seq, epoch, at, first, 1 }
