--[[ room_trim: take out of a room what its history may not hold any more, a portion at a time.
     KEYS  room, log, meta, foreign
     ARGV  new_epoch, log_length, history_limit (messages), history_days (each 0 for no limit), most (to take out)
     gives how many were taken out, of messages or of events that carried them ]]
local room, log, meta, foreign = unpack(KEYS)
local new_epoch, log_length, history_limit, history_days, most = unpack(ARGV)
local heard = ''
-- part: room_log
-- part: retention

return math.max(trim_log(tonumber(most)), trim(tonumber(most), 0))
