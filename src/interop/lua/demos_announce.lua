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
local MOST = 100 -- events read in one call

local place = redis.call('HGET', consumed, name)
if not place then return 'DONE' end
local from, epoch = string.match(place, '^(%d+) (%S*)')
-- The log was lost and begun again. What it had is in the room, where the apps read it.
if epoch ~= redis.call('HGET', meta, 'epoch') then from = 0 end

-- Leaves the place before an entry of the log.
local function stay(entry, outcome)
  local seq, current = string.match(entry[1], '^%d+'), redis.call('HGET', meta, 'epoch') or ''
  redis.call('HSET', consumed, name, string.format('%s %s %s', seq, current, string.match(place, '%d+$')))
  return outcome
end

local entries = redis.call('XRANGE', log, string.format('%d-0', from), '+', 'COUNT', MOST + 1)
for index, entry in ipairs(entries) do
  if index > MOST then return stay(entry, 'MORE') end
  local event = entry[2][2]
  local message = is_wanted(event) and string.match(event, '"kind":"message%.added","at":%d+,"message":({.*' .. OURS .. ')')
  if message then
    if opens == '1' and redis.pcall('ZRANK', room, message) == 0 then -- an error if the key has another type
      if opening == '' then return stay(entry, 'OPENS') end
      redis.call('PUBLISH', channel, opening)
    end
    redis.call('PUBLISH', channel, head .. message .. '}')
  end
end
redis.call('HDEL', consumed, name)
return 'DONE'
