--[[ messages_page: read a range of a room's history, and the room's position at the same moment.
     KEYS  room, log, meta, foreign, own, consumed, reactions
     ARGV  new_epoch, log_length, watched: boolean, near, far (scores; -inf or +inf for the ends; a leading parenthesis before near excludes it),
           direction: "OLDER" | "NEWER", offset: number (members at near to leave out), count: number, size: number (bytes, after which no
           more follow)
     RETURNS  [seq: number, epoch: string, at: number, behind: number,
               range: [flat: string[], near: string, offset: number, skipped: number] ]; the epoch is '' if there is no log, at is the time
              of the last event (µs), behind is the number of messages beyond near; the range has the form of shared/history_range.lua ]]
local room, log, meta, foreign, own, consumed, reactions = unpack(KEYS)
local new_epoch, log_length, watched, near, far, direction, offset, count, size = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: history_range

local behind
local beyond = string.sub(near, 1, 1) == '(' and near or '(' .. near
if direction == 'OLDER' then
  behind = near == '+inf' and 0 or redis.call('ZCOUNT', room, beyond, '+inf')
else
  behind = near == '-inf' and 0 or redis.call('ZCOUNT', room, '-inf', beyond)
end
return { seq, epoch or '', last, behind, history_range(near, far, direction == 'OLDER', offset) }
