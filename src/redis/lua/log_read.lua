--[[ log_read: the events of a room from one on, and where its log stands.
     KEYS  log, meta
     ARGV  from (a seq), count (the most events to give)
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), {event (JSON), …}} ]]
local log, meta = unpack(KEYS)
local from, count = unpack(ARGV)

local seq, epoch, at = unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time'))
local events = {}
for _, entry in ipairs(redis.call('XRANGE', log, string.format('%d-0', from), '+', 'COUNT', count)) do
  events[#events + 1] = entry[2][2]
end
return { tonumber(seq) or 0, epoch or '', tonumber(at) or 0, events }
