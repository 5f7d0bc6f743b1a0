--[[ room_trim: take out of a room what its history may not hold any more, a portion at a time.
     KEYS  room, log, meta, foreign, own, asked, reactions, mentioned
     ARGV  new_epoch, log_length, assistant, history_limit (messages), history_days (each 0 for no limit), most (to take out)
     gives how many were taken out, of messages or of events that carried them ]]
local room, log, meta, foreign, own, asked, reactions, mentioned = unpack(KEYS)
local new_epoch, log_length, assistant, history_limit, history_days, most = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_index
-- part: retention

return math.max(trim_log(tonumber(most)), trim(tonumber(most), 0))
