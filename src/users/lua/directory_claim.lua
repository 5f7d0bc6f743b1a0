--[[ directory_claim: claim the next portion of accounts that are not in the directory, or not in the list of name skeletons.
     KEYS  total_users, indexed
     ARGV  server, lease: number (s, after which another server may take over)
     RETURNS  [upTo: number, total: number] | null; the last user id that is indexed and the last user id, or null while another server has
           the claim ]]
local total_users, indexed = unpack(KEYS)
local server, lease = unpack(ARGV)

local now = tonumber(redis.call('TIME')[1])
local holder, deadline, up_to = unpack(redis.call('HMGET', indexed, 'server', 'deadline', 'up_to'))
if holder and holder ~= server and now < tonumber(deadline) then return nil end
redis.call('HSET', indexed, 'server', server, 'deadline', now + lease)
local total = redis.pcall('GET', total_users)
return { tonumber(up_to) or 0, type(total) == 'string' and tonumber(total) or 0 }
