--[[ room_trim: trim a room's history to its limits, one portion per call.
     KEYS  room, log, meta, foreign, own, consumed, reactions, mentioned
     ARGV  new_epoch, log_length, watched: boolean, history_limit: number (messages), history_days: number (each 0 for no limit),
           most: number (to remove)
     RETURNS  number; of messages removed, or of log events that carried messages if that is higher ]]
local room, log, meta, foreign, own, consumed, reactions, mentioned = unpack(KEYS)
local new_epoch, log_length, watched, history_limit, history_days, most = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_index
-- part: retention

return math.max(trim_log(tonumber(most)), trim(tonumber(most), 0))
