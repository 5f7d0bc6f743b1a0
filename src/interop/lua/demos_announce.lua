--[[ demos_announce: publish the messages that wait for the demo apps, in the order of the room's log. It moves their place in the log in the
     same step, so each message is published once, whichever servers call this and wherever one dies. It needs no lease for that.
     KEYS  room, log, meta, consumed
     ARGV  name (of the consumer), channel, head (an announcement of a message, up to the message), opens: boolean (whether the room is
           announced before its first message), opening (that announcement, '' if the caller has not written it yet)
     RETURNS  "DONE" | "MORE" | "OPENS"; MORE if the call has to be repeated; OPENS if it has to be repeated with `opening` ]]
local room, log, meta, consumed = unpack(KEYS)
local name, channel, head, opens, opening = unpack(ARGV)
-- part: wanted_events
-- part: ours
local MOST = 100 -- entries searched, and messages published, in one call

local place = redis.call('HGET', consumed, name)
if not place then return 'DONE' end
local from, epoch = string.match(place, '^(%d+) (%S*)')
-- The log was lost and begun again. What it had is in the room, where the apps read it.
if epoch ~= redis.call('HGET', meta, 'epoch') then from = 0 end

local function leave(outcome)
  local current = redis.call('HGET', meta, 'epoch') or ''
  redis.call('HSET', consumed, name, string.format('%d %s %s', from, current, string.match(place, '%d+$')))
  return outcome
end

for _ = 1, MOST do
  local seq, event = next_wanted(tonumber(from), MOST)
  if not seq and not event then
    redis.call('HDEL', consumed, name)
    return 'DONE'
  end
  from = seq or event
  if not seq then return leave('MORE') end
  local message = string.match(event, '"kind":"message%.added","at":%d+,"message":({.*' .. OURS .. ')')
  if message then
    if opens == '1' and redis.pcall('ZRANK', room, message) == 0 then -- an error if the key has another type
      if opening == '' then return leave('OPENS') end
      redis.call('PUBLISH', channel, opening)
    end
    redis.call('PUBLISH', channel, head .. message .. '}')
  end
  from = seq + 1
end
return leave('MORE')
