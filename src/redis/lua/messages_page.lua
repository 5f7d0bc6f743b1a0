--[[ messages_page: a stretch of a room's history, and the room's position of that very moment.
     KEYS  room, log, meta, foreign
     ARGV  new_epoch, log_length, near, far (scores; -inf or +inf for the ends), direction (OLDER or NEWER), count, size (bytes after which no more follow)
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), messages behind near, {member ('' for one that is too long), score, …}} ]]
local room, log, meta, foreign = unpack(KEYS)
local new_epoch, log_length, near, far, direction, count, size = unpack(ARGV)
-- part: room_log

take_in('')
local page, behind
if direction == 'OLDER' then
  page = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
  behind = near == '+inf' and 0 or redis.call('ZCOUNT', room, '(' .. near, '+inf')
else
  page = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  behind = near == '-inf' and 0 or redis.call('ZCOUNT', room, '-inf', '(' .. near)
end

-- What someone else put there must fill nobody's memory.
local fitting, bytes = {}, 0
for index = 1, #page, 2 do
  local member, score = page[index], page[index + 1]
  if #member > LONGEST then member = '' end
  bytes = bytes + #member
  if bytes > tonumber(size) then break end
  fitting[index], fitting[index + 1] = member, score
end
return { seq, epoch or '', last, behind, fitting }
