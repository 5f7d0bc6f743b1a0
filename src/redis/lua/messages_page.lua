--[[ messages_page: read a range of a room's history, and the room's position at the same moment.
     KEYS  room, log, meta, foreign, own, asked, reactions
     ARGV  new_epoch, log_length, assistant, near, far (scores; -inf or +inf for the ends; a leading parenthesis before near excludes it),
           direction (OLDER or NEWER), offset (members at near to leave out), count, size (bytes, after which no more follow)
     gives {seq, epoch ('' if there is no log), at (µs, of the last event), number of messages beyond near, a range in the form of
           shared/stretch.lua} ]]
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
