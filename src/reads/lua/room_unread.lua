--[[ room_unread: count a user's unread messages and mentions in a room. Its cost grows with the logarithm of the room's length.
     KEYS  room, own, mentioned, reads, members
     ARGV  user
     RETURNS  [messages: number, mentions: number, readUpTo: string, unnamed: number]; unread messages of other users, mentions of the
              user among them, id of the last message read ('' for none), messages whose mentions still have to be looked up ]]
local room, own, mentioned, reads, members = unpack(KEYS)
local user = unpack(ARGV)

local score, read_up_to = string.match(redis.call('HGET', reads, user) or '', '^(%S+) (.*)$')
-- Messages from before the user joined the group are readable, but do not count as unread.
local joined = not score and string.match(redis.call('HGET', members, user) or '', '%d+$')
if joined then score = string.format('%.6f', joined / 1000000) end
-- Entries are `<user>:<µs>…`, so those of one user are adjacent and in order of time; `;` comes right after `:`.
local from = '[' .. user .. ':'
if score then from = string.format('(%s:%016.0f;', user, math.min(score * 1000000, 9999999999999999)) end
local to = '(' .. user .. ';'

local messages = redis.call('ZCOUNT', room, score and '(' .. score or '-inf', '+inf')
-- Members that room_log found too long to be a message are never unread.
local none = redis.call('ZLEXCOUNT', own, (string.gsub(from, user .. ':', '!:', 1)), '(!;')
local unread = math.max(0, messages - redis.call('ZLEXCOUNT', own, from, to) - none)
-- Older versions also recorded authors who mention themselves, which does not count as unread.
local mentions = math.min(unread, redis.call('ZLEXCOUNT', mentioned, from, to))
return { unread, mentions, read_up_to or '', redis.call('ZLEXCOUNT', own, '[@:', '(@;') }
