--[[ mentions_note: record once which users a demo app's message mentions, and queue it if it is a question to the assistant. These messages
     cannot be refused, so if there are many at once, some remain unanswered. Old messages, as in an existing database, are not answered.
     KEYS  meta, own, mentioned, asked
     ARGV  name (`µs:digest` of the message, its entry in own), users: readonly string[] (ids), entry (for asked, '' if it is not a
           question), most: number (questions that may wait)
     RETURNS  0 | 1 | 2; 2 if it waits for an answer now, 1 if it does not, 0 if this was done before or the message is gone ]]
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
