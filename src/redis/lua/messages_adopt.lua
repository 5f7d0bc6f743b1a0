--[[ messages_adopt: take in what a demo app wrote to a room, of which it told on its channel.
     KEYS  room, log, meta, foreign, own
     ARGV  new_epoch, log_length, heard (score of the message told of, '' for none), opening (1 where it told that the room is new, else 0)
     gives 1 if the room's first message is there and nobody was told of it yet, else 0 ]]
local room, log, meta, foreign, own = unpack(KEYS)
local new_epoch, log_length, heard, opening = unpack(ARGV)
-- part: room_log

local shown = redis.call('HGET', meta, 'shown')
if shown ~= '0' and (shown or opening == '0' or (stored or 0) == 0) then return 0 end
redis.call('HSET', meta, 'shown', 1)
return 1
