--[[ mentions_note: note who is mentioned in a message that a demo app wrote, once.
     KEYS  meta, own, mentioned
     ARGV  name (`µs:digest` of the message, under which it waits in own), users (ids, with spaces between)
     gives 1, or 0 where it was done, or the message is gone ]]
local meta, own, mentioned = unpack(KEYS)
local name, users = unpack(ARGV)

if redis.call('ZREM', own, '@:' .. name) == 0 then return 0 end
for user in string.gmatch(users, '%d+') do redis.call('ZADD', mentioned, 0, user .. ':' .. name) end
if users ~= '' then redis.call('HSET', meta, 'named:' .. name, users) end
return 1
