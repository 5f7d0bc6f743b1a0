--[[ mentions_note: note who is mentioned in a message that a demo app wrote, once, and that it asks the assistant. These messages cannot be
     refused, so of many at once not all are answered; neither are old ones, as in a database taken over.
     KEYS  meta, own, mentioned, asked
     ARGV  name (`µs:digest` of the message, under which it waits in own), users (ids, with spaces between), entry (for asked, '' where it asks nothing), most (questions that may wait)
     gives 2 if it waits for an answer now, 1 if it does not, or 0 where all this was done, or the message is gone ]]
local meta, own, mentioned, asked = unpack(KEYS)
local name, users, entry, most = unpack(ARGV)
local RECENT = 86400 -- seconds

if redis.call('ZREM', own, '@:' .. name) == 0 then return 0 end
for user in string.gmatch(users, '%d+') do redis.call('ZADD', mentioned, 0, user .. ':' .. name) end
if users ~= '' then redis.call('HSET', meta, 'named:' .. name, users) end
local is_recent = tonumber(string.match(name, '^%d+')) / 1000000 > redis.call('TIME')[1] - RECENT
if entry == '' or not is_recent or redis.call('LLEN', asked) >= tonumber(most) then return 1 end
redis.call('RPUSH', asked, entry)
return 2
