--[[ directory_add: add the names of a portion of accounts to the directory, record its progress, and release the claim.
     KEYS  directory, indexed
     ARGV  server, up_to: number (the last user id that is in the directory now), entries (JSON)
     RETURNS  0 | 1; 0 if another server has taken over ]]
local directory, indexed = unpack(KEYS)
local server, up_to, entries = unpack(ARGV)

if redis.call('HGET', indexed, 'server') ~= server then return 0 end
for _, entry in ipairs(cjson.decode(entries)) do redis.call('ZADD', directory, 0, entry) end
redis.call('HSET', indexed, 'up_to', up_to)
redis.call('HDEL', indexed, 'server', 'deadline')
return 1
