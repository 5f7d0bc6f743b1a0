--[[ assistant_ask_again: add a question to the queue again, unless it is waiting or has an answer. With a retry id, the call is idempotent
     for at least 24 hours.
     KEYS  asked, withdrawn, sent_1, sent_2, sent_3, sent_4   (the days around the caller's estimate of today; Redis's clock decides)
     ARGV  entry (of asked), answer (user and clientMessageId that its answer would have), retry (the user who asks again and the id of that
           call, '' for none), first_day: number (of sent_1)
     RETURNS  [day: number] | 0 | 1; the day if the keys do not include today and yesterday, 1 if the question waits now or this retry id
           queued it before, 0 if it was answered recently ]]
local asked, withdrawn, sent_1, sent_2, sent_3, sent_4 = unpack(KEYS)
local entry, answer, retry, first_day = unpack(ARGV)

local DAY = 86400
local day = math.floor(redis.call('TIME')[1] / DAY)
local days = { sent_1, sent_2, sent_3, sent_4 }
local today, yesterday = days[day - first_day + 1], days[day - first_day]
if not today or not yesterday then return { day } end

local function is_sent(field)
  return redis.call('HEXISTS', today, field) == 1 or redis.call('HEXISTS', yesterday, field) == 1
end

local again = retry .. ' ' .. entry
if retry ~= '' and is_sent(again) then return 1 end
if not redis.call('LPOS', asked, entry) then
  if is_sent(answer) then return 0 end
  redis.call('RPUSH', asked, entry)
end
redis.call('ZREM', withdrawn, string.match(entry, '^%S+'))
if retry ~= '' then
  redis.call('HSET', today, again, '1')
  redis.call('EXPIREAT', today, (day + 2) * DAY)
end
return 1
