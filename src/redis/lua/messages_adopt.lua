--[[ messages_adopt: take in what a demo app wrote to a room, of which it told on its channel.
     KEYS  room, log, meta, foreign, own, asked
     ARGV  new_epoch, log_length, assistant, heard (score of the message told of, '' for none), opening (1 where it told that the room is new, else 0), order (digests of the messages told of at that score, as they came)
     gives {1 if the room's first message is there and its users are yet to be told of it, else 0; how many questions wait for the assistant here; of how many messages it is to be found out whom they mention, and whether they ask the assistant; when something happened in the room last (µs), 0 where nothing did} ]]
local room, log, meta, foreign, own, asked = unpack(KEYS)
local new_epoch, log_length, assistant, heard, opening, order = unpack(ARGV)
-- part: room_log

-- Told before the first message is there: the first look that finds it then shows the room.
if opening == '1' then redis.call('HSETNX', meta, 'shown', 0) end
local show = (stored or 0) > 0 and redis.call('HGET', meta, 'shown') == '0'
return { show and 1 or 0, assistant ~= '' and redis.call('LLEN', asked) or 0, redis.call('ZLEXCOUNT', own, '[@:', '(@;'), (stored or 0) > 0 and last or 0 }
