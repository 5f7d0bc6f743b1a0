--[[ messages_around: what lies on both sides of a score in a room's history, and the room's position of that very moment.
     KEYS  room, log, meta, foreign, own, asked, reactions
     ARGV  new_epoch, log_length, assistant, score, count (at most, on each side), size (bytes after which no more follow, on each side)
     gives {seq, epoch ('' where there is no log), at (µs, of the last event), what is older or at the score, what is newer}, each a stretch
           as of shared/stretch.lua, the nearest first ]]
local room, log, meta, foreign, own, asked, reactions = unpack(KEYS)
local new_epoch, log_length, assistant, score, count, size = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: stretch

return { seq, epoch or '', last, stretch(score, '-inf', true, 0), stretch('(' .. score, '+inf', false, 0) }
