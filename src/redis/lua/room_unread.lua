--[[ room_unread: how much of a room a user has not read. Its cost grows with the logarithm of the room's length only.
     KEYS  room, own, mentioned, reads, members
     ARGV  user
     gives {messages of others after the last read, mentions of the user among them, id of the message last read ('' for none), messages of which it is to be found out whom they mention} ]]
local room, own, mentioned, reads, members = unpack(KEYS)
local user = unpack(ARGV)

local score, read_up_to = string.match(redis.call('HGET', reads, user) or '', '^(%S+) (.*)$')
-- What was said in a group before they came is there to be read, and not new to them.
local joined = not score and string.match(redis.call('HGET', members, user) or '', '%d+$')
if joined then score = string.format('%.6f', joined / 1000000) end
-- Entries are `<user>:<µs>…`, so that those of one user lie together, in the order of time; `;` comes right after `:`.
local from = '[' .. user .. ':'
if score then from = string.format('(%s:%016.0f;', user, math.min(score * 1000000, 9999999999999999)) end
local to = '(' .. user .. ';'

local messages = redis.call('ZCOUNT', room, score and '(' .. score or '-inf', '+inf')
-- Members that room_log found too long to be a message are never unread.
local none = redis.call('ZLEXCOUNT', own, (string.gsub(from, user .. ':', '!:', 1)), '(!;')
local unread = math.max(0, messages - redis.call('ZLEXCOUNT', own, from, to) - none)
-- Older versions noted mentions by the author, too, which are not unread.
local mentions = math.min(unread, redis.call('ZLEXCOUNT', mentioned, from, to))
return { unread, mentions, read_up_to or '', redis.call('ZLEXCOUNT', own, '[@:', '(@;') }
