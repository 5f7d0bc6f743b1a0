--[[ log_read: the events of a room from one on, or its newest, and where its log stands.
     KEYS  log, meta
     ARGV  from (a seq, or '' for the newest), count (the most events to give)
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), {event (JSON), …}} ]]
local log, meta = unpack(KEYS)
local from, count = unpack(ARGV)

local seq, epoch, at = unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time'))
local entries
if from == '' then
  entries = redis.call('XREVRANGE', log, '+', '-', 'COUNT', count)
else
  entries = redis.call('XRANGE', log, string.format('%d-0', from), '+', 'COUNT', count)
end
local events = {}
for index, entry in ipairs(entries) do
  events[from == '' and #entries + 1 - index or index] = entry[2][2]
end
return { tonumber(seq) or 0, epoch or '', tonumber(at) or 0, events }
