--[[ mentions_note: record once which users a demo app's message mentions, and publish an event for the consumers that want the message. Old
     messages, as in an existing database, are not for consumers.
     KEYS  room, log, meta, own, consumed, mentioned
     ARGV  new_epoch, log_length, name (`µs:digest` of the message, its entry in own), users: readonly string[] (ids),
           message_id, from (its author), wanted: readonly string[] (names of the consumers)
     RETURNS  0 | 1 | 2; 2 if consumers were told, 1 if not, 0 if this was done before or the message is gone ]]
local room, log, meta, own, consumed, mentioned = unpack(KEYS)
local new_epoch, log_length, name, users, message_id, from, wanted = unpack(ARGV)
-- part: log_append
local RECENT = 86400 -- seconds

if redis.call('ZREM', own, '@:' .. name) == 0 then return 0 end
for user in string.gmatch(users, '%d+') do redis.call('ZADD', mentioned, 0, user .. ':' .. name) end
if users ~= '' then redis.call('HSET', meta, 'named:' .. name, users) end
if wanted == '' or tonumber(string.match(name, '^%d+')) / 1000000 <= clock[1] - RECENT then return 1 end
append('message.noted', next_time(), string.format('"messageId":"%s","from":"%s"', message_id, from), wanted)
return 2
