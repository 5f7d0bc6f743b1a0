--[[ directory_add: put the names of a portion of accounts into the directory, note how far it has looked, and let the next
     one be taken on.
     KEYS  directory, indexed
     ARGV  server, up_to (the id up to which it has looked now), entries (JSON)
     gives 1, or 0 if another server has taken over meanwhile ]]
local directory, indexed = unpack(KEYS)
local server, up_to, entries = unpack(ARGV)

if redis.call('HGET', indexed, 'server') ~= server then return 0 end
for _, entry in ipairs(cjson.decode(entries)) do redis.call('ZADD', directory, 0, entry) end
redis.call('HSET', indexed, 'up_to', up_to)
redis.call('HDEL', indexed, 'server', 'deadline')
return 1
