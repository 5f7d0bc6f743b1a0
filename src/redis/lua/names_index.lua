--[[ names_index: note what existing usernames look like, each look for the first that has it, and how far accounts were looked at.
     KEYS  looks, named
     ARGV  server (whose turn ends, if it is its), up_to (the user id), entries (JSON: look, user, look, user, …)
     gives up_to as it is now ]]
local looks, named = unpack(KEYS)
local server, up_to, entries = unpack(ARGV)

entries = cjson.decode(entries)
for index = 1, #entries, 2 do redis.call('HSETNX', looks, entries[index], entries[index + 1]) end
local before = tonumber(redis.call('HGET', named, 'up_to')) or 0
if tonumber(up_to) > before then redis.call('HSET', named, 'up_to', up_to) end
if redis.call('HGET', named, 'server') == server then redis.call('HDEL', named, 'server', 'deadline') end
return math.max(before, tonumber(up_to))
