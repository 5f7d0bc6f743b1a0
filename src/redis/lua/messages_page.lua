--[[ messages_page: a stretch of a room's history, and the room's position of that very moment.
     KEYS  room, meta
     ARGV  near, far (scores; -inf or +inf for the ends), direction (OLDER or NEWER), count
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), messages behind near, {member, score, member, score, …}} ]]
local room, meta = unpack(KEYS)
local near, far, direction, count = unpack(ARGV)

local seq, epoch, at = unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time'))
local page, behind
if direction == 'OLDER' then
  page = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
  behind = near == '+inf' and 0 or redis.call('ZCOUNT', room, '(' .. near, '+inf')
else
  page = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  behind = near == '-inf' and 0 or redis.call('ZCOUNT', room, '-inf', '(' .. near)
end
return { tonumber(seq) or 0, epoch or '', tonumber(at) or 0, behind, page }
