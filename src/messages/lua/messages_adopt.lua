--[[ messages_adopt: adopt the messages that a demo app wrote to a room and announced on its channel.
     KEYS  room, log, meta, foreign, own, consumed
     ARGV  new_epoch, log_length, watched: boolean, heard (score of the announced message, '' for none), opening: boolean (whether the app
           announced a new room), order: readonly string[] (digests of the messages announced at that score, in the order of announcement)
     RETURNS  [untold: 0 | 1, unnamed: number, last: number]; untold is 1 if the room has its first message and its users
              still have to be notified; the number of messages whose mentions and consumers still have to be looked up; the time of the room's last event (µs), 0 for none ]]
local room, log, meta, foreign, own, consumed = unpack(KEYS)
local new_epoch, log_length, watched, heard, opening, order = unpack(ARGV)
-- part: room_log

-- The announcement comes before the first message: the first script that then finds the message shows the room.
if opening == '1' then redis.call('HSETNX', meta, 'shown', 0) end
local show = (stored or 0) > 0 and redis.call('HGET', meta, 'shown') == '0'
return { show and 1 or 0, redis.call('ZLEXCOUNT', own, '[@:', '(@;'), (stored or 0) > 0 and last or 0 }
