--[[ messages_around: read both sides of a score in a room's history, and the room's position at the same moment.
     KEYS  room, log, meta, foreign, own, consumed, reactions
     ARGV  new_epoch, log_length, watched: boolean, score, count: number (at most, on each side), size: number (bytes, after which no more
           follow, on each side)
     RETURNS  [seq: number, epoch: string, at: number,
               older: [flat: string[], near: string, offset: number, skipped: number],
               newer: [flat: string[], near: string, offset: number, skipped: number] ]; the epoch is '' if there is no log, at is the time
              of the last event (µs); the range of older messages and those at the score, and the range of newer messages; each range has
              the form of shared/history_range.lua, nearest first ]]
local room, log, meta, foreign, own, consumed, reactions = unpack(KEYS)
local new_epoch, log_length, watched, score, count, size = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: history_range

return { seq, epoch or '', last, history_range(score, '-inf', true, 0), history_range('(' .. score, '+inf', false, 0) }
