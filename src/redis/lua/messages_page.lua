--[[ messages_page: a stretch of a room's history, and the room's position of that very moment.
     KEYS  room, log, meta, foreign, own, asked, reactions
     ARGV  new_epoch, log_length, assistant, near, far (scores; -inf or +inf for the ends; `(` before near excludes it), direction (OLDER or NEWER), offset (members at near that are left out), count, size (bytes after which no more follow)
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), messages behind near, a stretch as of shared/stretch.lua} ]]
local room, log, meta, foreign, own, asked, reactions = unpack(KEYS)
local new_epoch, log_length, assistant, near, far, direction, offset, count, size = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: stretch

local behind
local beyond = string.sub(near, 1, 1) == '(' and near or '(' .. near
if direction == 'OLDER' then
  behind = near == '+inf' and 0 or redis.call('ZCOUNT', room, beyond, '+inf')
else
  behind = near == '-inf' and 0 or redis.call('ZCOUNT', room, '-inf', beyond)
end
return { seq, epoch or '', last, behind, stretch(near, far, direction == 'OLDER', offset) }
