--[[ assistant_ask_again: ask a question again, unless the same attempt waits or has an answer. With a retry id, the call is idempotent for
     at least 24 hours.
     KEYS  room, log, meta, foreign, own, consumed, cancelled, withdrawn, sent_1, sent_2, sent_3, sent_4   (the days around the caller's
           estimate of today; Redis's clock decides)
     ARGV  new_epoch, log_length, watched: boolean, name (of the consumer), question (the message), attempt ('' for the first one),
           user (who asks), answer (user and clientMessageId that its answer would have), retry (the user who asks again and the id of that
           call, '' for none), first_day: number (of sent_1)
     RETURNS  [day: number] | 0 | 1; the day if the keys do not include today and yesterday, 1 if the question waits now or this retry id
           asked it before, 0 if it was answered recently ]]
local room, log, meta, foreign, own, consumed, cancelled, withdrawn, sent_1, sent_2, sent_3, sent_4 = unpack(KEYS)
local new_epoch, log_length, watched, name, question, attempt, user, answer, retry, first_day = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: wanted_events
-- part: cancelled
-- part: questions

local DAY = 86400
local day = math.floor(clock[1] / DAY)
local days = { sent_1, sent_2, sent_3, sent_4 }
local today, yesterday = days[day - first_day + 1], days[day - first_day]
if not today or not yesterday then return { day } end

local function is_sent(field)
  return redis.call('HEXISTS', today, field) == 1 or redis.call('HEXISTS', yesterday, field) == 1
end

local again = string.format('%s %s %s', retry, question, attempt)
if retry ~= '' and is_sent(again) then return 1 end
local waits = false
for _, other in ipairs(questions()) do waits = waits or other.question == question and other.attempt == attempt end
if not waits then
  if is_sent(answer) then return 0 end
  append('assistant.asked', next_time(), string.format('"messageId":"%s","attempt":"%s","from":"%s"', question, attempt, user), name)
end
redis.call('ZREM', withdrawn, question)
if retry ~= '' then
  redis.call('HSET', today, again, '1')
  redis.call('EXPIREAT', today, (day + 2) * DAY)
end
return 1
