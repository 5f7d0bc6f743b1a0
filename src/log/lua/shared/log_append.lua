--[[ log_append: the position of a room's log, and adding events to it. A part of each script that adds events; most take it with room_log.
     Uses the script's keys room, log, meta and consumed, new_epoch and log_length. `known` is the number of members of the room that the log
     accounts for; the variables after it belong to the part other_writers, so that one command reads all. ]]
local seq, epoch, last, known, since, deadline, puzzle, awaited, dated =
  unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time', 'known', 'since', 'deadline', 'puzzle', 'awaited', 'dated'))
seq, last, known = tonumber(seq) or 0, tonumber(last) or 0, tonumber(known)

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] -- microseconds; exact in a double until the year 2255

-- A time later than that of every event before: a clock that was set back must not reorder the room.
local function next_time()
  return math.max(now, last + 1)
end

-- Adds an event to the log and publishes it. `fields` is the JSON of the fields of its kind. `wanted` has the names of the consumers that
-- want it, separated by spaces. The event names them in its last field, `for`; in `consumed` each of them has the first such event.
local function append(kind, at, fields, wanted)
  if not epoch then
    -- The log is new, or was lost: positions of an earlier log must not seem valid.
    redis.call('DEL', log)
    seq, epoch = 0, new_epoch
  end
  seq, last = seq + 1, at
  for consumer in string.gmatch(wanted or '', '%S+') do redis.call('HSETNX', consumed, consumer, string.format('%d %s %.0f', seq, epoch, at)) end
  if (wanted or '') ~= '' then fields = fields .. ',"for":"' .. wanted .. '"' end
  local event = string.format('{"seq":%d,"epoch":"%s","kind":"%s","at":%.0f,%s}', seq, epoch, kind, at, fields)
  redis.call('XADD', log, 'MAXLEN', '~', log_length, string.format('%d-0', seq), 'event', event)
  redis.call('HSET', meta, 'seq', seq, 'epoch', epoch, 'time', string.format('%.0f', at), 'known', known or '')
  redis.call('SPUBLISH', room, event)
end
