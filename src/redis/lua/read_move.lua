--[[ read_move: note that a user has read a room up to a message. It never moves back, whichever device says so.
     KEYS  room, log, meta, foreign, own, asked, reads, members
     ARGV  new_epoch, log_length, assistant, user, message_id, score (of the message), most_told (members of a room whose reading is told to all)
     gives {UNMOVED (it was there, or beyond), MOVED or TOLD_ALL (it moved, and everyone in the room was told), now (µs)}
     fails NOT_FOUND if the message is gone ]]
local room, log, meta, foreign, own, asked, reads, members = unpack(KEYS)
local new_epoch, log_length, assistant, user, message_id, score, most_told = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find

if not find(message_id, score) then return redis.error_reply('NOT_FOUND by now') end
local before = string.match(redis.call('HGET', reads, user) or '', '^%S+')
if before and tonumber(before) >= tonumber(score) then return { 'UNMOVED', now } end
redis.call('HSET', reads, user, score .. ' ' .. message_id)

-- A room of two has no list of members. In a large one everyone's reading would drown what is said.
local size = redis.call('HLEN', members)
if most_told == '0' or size > tonumber(most_told) then return { 'MOVED', now } end
append('read.moved', next_time(), string.format('"userId":"%s","upTo":%s', user, cjson.encode(message_id)))
return { 'TOLD_ALL', now }
