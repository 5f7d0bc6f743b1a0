--[[ consumer_take: hold a room and begin with the first event that the consumer has not handled; or release the room if there is none. Both
     happen in one step with the check, so a later event finds the room free. The same fence may take again after each event.
     KEYS  consumed, log, meta
     ARGV  name (of the consumer), fence, lease: number (ms)
     RETURNS  [state: "HELD", ms: number] | [state: "NOTHING"] | [state: "MORE"] | [state: "BEHIND", since: number, last: number] |
              [state: "TAKEN", event: string, seq: number, tries: number]; HELD with the ms until the lease of another process expires; MORE
              if the call has to be repeated; BEHIND if the log no longer has all events since a time (µs), with its last event; TAKEN with
              the event as JSON ]]
local consumed, log, meta = unpack(KEYS)
local name, fence, lease = unpack(ARGV)
-- part: consumer
-- part: wanted_events
local MOST = 500 -- entries searched in one call

local holder, expires, place = unpack(redis.call('HMGET', consumed, name .. ':fence', name .. ':until', name))
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if holder and holder ~= fence and tonumber(expires) > now_ms then return { 'HELD', tonumber(expires) - now_ms } end

local function let_go()
  redis.call('HDEL', consumed, name, name .. ':fence', name .. ':until', name .. ':tries')
  return { 'NOTHING' }
end

if not place then return let_go() end
hold(lease)
local from, epoch, since = string.match(place, '^(%d+) (%S*) (%d+)$')
from = tonumber(from)
local last, current = unpack(redis.call('HMGET', meta, 'seq', 'epoch'))
last = tonumber(last) or 0
local first = redis.call('XRANGE', log, string.format('%d-0', from), '+', 'COUNT', 1)[1]
local is_complete = from > last or (first and first[1] == string.format('%d-0', from))
if epoch ~= current or not is_complete then return { 'BEHIND', tonumber(since), last } end

local seq, event = next_wanted(from, MOST)
if not seq and not event then return let_go() end
local reached = seq or event
if reached ~= from then
  redis.call('HSET', consumed, name, string.format('%d %s %s', reached, epoch, since))
  redis.call('HDEL', consumed, name .. ':tries')
end
if not seq then return { 'MORE' } end
return { 'TAKEN', event, seq, redis.call('HINCRBY', consumed, name .. ':tries', 1) }
