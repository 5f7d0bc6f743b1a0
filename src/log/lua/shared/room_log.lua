--[[ room_log: a room's log, with all that other programs have written to the room. A part of each script that reads the log or adds to it.
     Uses what log_append and other_writers use. ]]
-- part: log_append
-- part: other_writers
