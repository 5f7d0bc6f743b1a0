--[[ log_read: the events of a room after one of them, and where its log stands.
     KEYS  log, meta
     ARGV  after (a seq), count (the most events to give)
     gives {seq, epoch ('' where there is no log), {event (JSON), …}} ]]
local log, meta = unpack(KEYS)
local after, count = unpack(ARGV)

local seq, epoch = unpack(redis.call('HMGET', meta, 'seq', 'epoch'))
local events = {}
for _, entry in ipairs(redis.call('XRANGE', log, string.format('(%d-0', after), '+', 'COUNT', count)) do
  events[#events + 1] = entry[2][2]
end
return { tonumber(seq) or 0, epoch or '', events }
