--[[ read_move: move a user's read marker in a room to a message. The marker never moves back, even if another device asks for it.
     KEYS  room, log, meta, foreign, own, consumed, reads, members
     ARGV  new_epoch, log_length, watched: boolean, user, message_id, score (of the message), most_told: number (most members
           of a room in which read markers are published to all members)
     RETURNS  [moved: "UNMOVED" | "MOVED" | "TOLD_ALL", now: number]; UNMOVED if it was at the message or beyond, TOLD_ALL if it moved and
              was published to all members; now is in µs
     FAILS  NOT_FOUND if the message is gone ]]
local room, log, meta, foreign, own, consumed, reads, members = unpack(KEYS)
local new_epoch, log_length, watched, user, message_id, score, most_told = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find

if not find(message_id, score) then return redis.error_reply('NOT_FOUND Message ' .. message_id .. ' no longer exists.') end
local before = string.match(redis.call('HGET', reads, user) or '', '^%S+')
if before and tonumber(before) >= tonumber(score) then return { 'UNMOVED', now } end
redis.call('HSET', reads, user, score .. ' ' .. message_id)

-- A private room has no list of members. In a large room, read markers would outnumber messages.
local size = redis.call('HLEN', members)
if most_told == '0' or size > tonumber(most_told) then return { 'MOVED', now } end
append('read.moved', next_time(), string.format('"userId":"%s","upTo":%s', user, cjson.encode(message_id)))
return { 'TOLD_ALL', now }
