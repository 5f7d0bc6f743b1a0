--[[ messages_page: a stretch of a room's history, and the room's position of that very moment.
     KEYS  room, log, meta, foreign, own
     ARGV  new_epoch, log_length, near, far (scores; -inf or +inf for the ends), direction (OLDER or NEWER), count, size (bytes after which no more follow)
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), messages behind near, {member ('' for one that is too long), score, …}} ]]
local room, log, meta, foreign, own = unpack(KEYS)
local new_epoch, log_length, near, far, direction, count, size = unpack(ARGV)
local heard, order = '', ''
-- part: room_log

local page, behind
if direction == 'OLDER' then
  page = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
  behind = near == '+inf' and 0 or redis.call('ZCOUNT', room, '(' .. near, '+inf')
else
  page = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  behind = near == '-inf' and 0 or redis.call('ZCOUNT', room, '-inf', '(' .. near)
end

-- What someone else put there must fill nobody's memory.
local LONGEST = 65536 -- bytes; a longer member is nobody's message
local bytes, last_fitting = 0, #page
for index = 1, #page, 2 do
  if #page[index] > LONGEST then page[index] = '' end
  bytes = bytes + #page[index]
  if bytes > tonumber(size) then
    last_fitting = index - 1
    break
  end
end
for index = #page, last_fitting + 1, -1 do page[index] = nil end
return { seq, epoch or '', last, behind, page }
