--[[ names_index: store the skeletons of existing usernames, each for the first user who has it, and record the progress.
     KEYS  looks, named
     ARGV  server (whose claim ends, if it has one), up_to: number (the last user id indexed), entries (JSON: skeleton, user, skeleton,
           user, …)
     RETURNS  number; the stored up_to ]]
local looks, named = unpack(KEYS)
local server, up_to, entries = unpack(ARGV)

entries = cjson.decode(entries)
for index = 1, #entries, 2 do redis.call('HSETNX', looks, entries[index], entries[index + 1]) end
local before = tonumber(redis.call('HGET', named, 'up_to')) or 0
if tonumber(up_to) > before then redis.call('HSET', named, 'up_to', up_to) end
if redis.call('HGET', named, 'server') == server then redis.call('HDEL', named, 'server', 'deadline') end
return math.max(before, tonumber(up_to))
