--[[ log_read: read the events of a room from one on, or the newest ones, and the position of its log.
     KEYS  room, log, meta, foreign, own, consumed
     ARGV  new_epoch, log_length, watched: boolean, from: number | "" (a seq, or '' for the newest), count: number (most events to return),
           size: number (bytes, after which no more follow; two events always fit)
     RETURNS  [seq: number, epoch: string, at: number, events: string[] ]; the epoch is '' if there is no log, at is the time of the last
              event (µs), the events are JSON ]]
local room, log, meta, foreign, own, consumed = unpack(KEYS)
local new_epoch, log_length, watched, from, count, size = unpack(ARGV)
local heard, order = '', ''
-- part: room_log

local events, bytes = {}, 0
local newest_first = from == ''
local next_entry = newest_first and '+' or string.format('%d-0', from)
local left = tonumber(count)
while left > 0 do
  -- Reads in portions, so that long events are not all in memory before their size is known.
  local step = math.min(left, 50)
  local entries
  if newest_first then
    entries = redis.call('XREVRANGE', log, next_entry, '-', 'COUNT', step)
  else
    entries = redis.call('XRANGE', log, next_entry, '+', 'COUNT', step)
  end
  for _, entry in ipairs(entries) do
    local event = entry[2][2]
    bytes = bytes + #event
    if #events >= 2 and bytes > tonumber(size) then
      left = 0
      break
    end
    events[#events + 1] = event
    next_entry = '(' .. entry[1]
  end
  left = #entries < step and 0 or left - step
end

if newest_first then
  local oldest_first = {}
  for index = #events, 1, -1 do oldest_first[#oldest_first + 1] = events[index] end
  events = oldest_first
end
return { seq, epoch or '', last, events }
